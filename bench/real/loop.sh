# loop.sh - arithmetic, arrays, functions and string work of the shell itself
f() { local n=$1; r=$((r + n % 7)); }
r=0
for ((i = 0; i < 60000; i++)); do
	f $i
	a[i % 100]=$((i * i % 1009))
	s=x${a[i % 100]}y
	case $s in x1*y) r=$((r + 1));; *9y) s=${s/x/z};; esac
done
echo $r ${#a[@]} $s
