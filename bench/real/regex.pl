# regex.pl - matching, substitution, sorting and hashes over a text
my (%n, $sum);
open my $f, '<', $ARGV[0] or die;
while (<$f>) {
	last if $. > 60000;
	if (/^(\d+) (word\d+) .*?(qu[a-z]+) .*fox ([0-9a-f]+)$/) { $n{$2} += hex $4; $sum += $1 }
	s/([a-z]+)(\d+)/$2\U$1/g;
	$sum += () = /[aeiou]\w*/g;
	$sum++ if /(?:zz|qq|the).*(\w)\1/;
}
print join(' ', (sort { $n{$a} <=> $n{$b} || $a cmp $b } keys %n)[0 .. 5]), " $sum\n";
