-- mix.lua - tables, strings, closures, floats
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
local t, words = {}, {}
for i = 1, 200000 do t[i] = (i * 7919) % 100003 end
table.sort(t)
for i = 1, 100000 do
	local w = string.format('w%d', i % 977)
	words[w] = (words[w] or 0) + #w
end
local s = 0.0
for i = 1, 3000000 do s = s + 1.0 / (i * i) end
local n = 0
for w, k in pairs(words) do if w:find('9%d$') then n = n + k end end
print(fib(27), t[1000], string.format('%.6f', s), n)
