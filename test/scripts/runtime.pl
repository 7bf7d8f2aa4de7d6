# Uses what a Perl script uses: hashes, regular expressions, sorting, modules, files.
use strict;
use warnings;
use POSIX qw(strftime);
use Digest::SHA qw(sha256_hex);
use List::Util qw(sum max);
use File::Temp qw(tempfile);

my %lengths;
for my $word (split /\W+/, "the quick brown fox jumps over the lazy dog") {
    $lengths{$word} = length $word;
}
print "$_ $lengths{$_}\n" for sort { $lengths{$b} <=> $lengths{$a} || $a cmp $b } keys %lengths;
print sum(values %lengths), " ", max(values %lengths), "\n";
print sha256_hex("perl" x 1000), "\n";
my ($handle, $name) = tempfile();
print $handle "line $_\n" for 1 .. 1000;
close $handle;
open my $input, '<', $name or die "cannot open $name: $!";
my $count = () = <$input>;
print "$count lines\n";
$ENV{TZ} = "Asia/Tokyo";
print scalar localtime(86400), " ", strftime("%Z", localtime), "\n";
unlink $name or die;
exit 4;
