# Uses what a Ruby service uses: json, digest, sockets, threads, the collector, processes.
require "digest/sha2" # whole before there are threads: digest loads its parts on first use, in a race
require "json"
require "open3"
require "set"
require "socket"

answers = 8.times.map do |number|
  Thread.new do
    digest = Digest::SHA256.new
    200.times { |round| digest << "#{number} #{round}" * 50 }
    [number, digest.hexdigest]
  end
end
puts JSON.pretty_generate(answers.map(&:value).to_h)

kept = nil
200_000.times { |n| kept = [n.to_s, kept && kept[0]] }
GC.start
puts kept.inspect, GC.count.positive?

queue = Queue.new
consumer = Thread.new { Set.new(10.times.map { queue.pop }).sum }
10.times { |n| queue << n }
puts consumer.value

left, right = UNIXSocket.pair
child = fork do
  left.close
  right.puts right.gets.upcase
  exit! 3
end
right.close
left.puts "through a socket"
puts left.gets
Process.wait(child)
puts $?.exitstatus

output, status = Open3.capture2("/bin/sh", "-c", "tr a-z A-Z; exit 4", stdin_data: "piped\n")
puts output, status.exitstatus

ENV["TZ"] = "America/New_York"
puts Time.at(0), Time.now.zone.length

trap("USR1") { puts "signal" }
Process.kill("USR1", Process.pid)
