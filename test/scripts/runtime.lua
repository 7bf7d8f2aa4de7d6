-- Uses Lua's coroutines, collector, strings, files and programs.
local function primes(limit)
  return coroutine.wrap(function()
    for n = 2, limit do
      local divides = false
      for d = 2, math.floor(math.sqrt(n)) do
        if n % d == 0 then divides = true break end
      end
      if not divides then coroutine.yield(n) end
    end
  end)
end
local sum = 0
for prime in primes(5000) do sum = sum + prime end
print(_VERSION, sum)

local weak = setmetatable({}, { __mode = "v" })
for n = 1, 100000 do weak[n] = { n, tostring(n) } end
collectgarbage()
print(next(weak), ("x"):rep(3, "-"), string.pack("<i4", 77):byte(1))

local file = assert(io.open("/tmp/lua.txt", "w"))
file:write("kept\n")
file:close()
print(io.open("/tmp/lua.txt"):read("a"))
print(io.open("/no/such/file"))
print(io.popen("echo program"):read("l"))
print(os.execute("exit 5"))
print(pcall(error, { code = 1 }) == false, select("#", table.unpack({ 1, 2, 3 })))
print(os.date("!%Y-%m-%d", 86400))
