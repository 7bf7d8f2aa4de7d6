<?php
// Uses what a PHP program uses: arrays, json, hashes, dates, regular expressions, files, programs.
function squares(int $limit): Generator {
    for ($n = 0; $n < $limit; $n++) {
        yield $n => $n * $n;
    }
}
echo json_encode(["sum" => array_sum(iterator_to_array(squares(1000))), "hash" => hash("sha256", "x")]), "\n";

class Node { public ?Node $next = null; public string $text = ""; }
for ($n = 0; $n < 50000; $n++) {
    // A cycle, which only the collector frees.
    $one = new Node(); $two = new Node();
    $one->next = $two; $two->next = $one; $one->text = str_repeat("y", 100);
}
gc_collect_cycles();
echo gc_status()["runs"] > 0 ? "collected" : "not collected", "\n";

echo preg_replace_callback('/\d+/', fn ($match) => $match[0] * 2, "1 and 21"), "\n";
echo (new DateTime("@86400"))->setTimezone(new DateTimeZone("Europe/Paris"))->format(DATE_ATOM), "\n";
file_put_contents("/tmp/php.txt", serialize([1, "two"]));
print_r(unserialize(file_get_contents("/tmp/php.txt")));

$process = proc_open(["tr", "a-z", "A-Z"], [["pipe", "r"], ["pipe", "w"]], $pipes);
fwrite($pipes[0], "piped\n");
fclose($pipes[0]);
echo stream_get_contents($pipes[1]), proc_close($process), "\n";
echo shell_exec("echo from a shell");
try {
    intdiv(1, 0);
} catch (DivisionByZeroError $error) {
    echo get_class($error), "\n";
}
exit(7);
