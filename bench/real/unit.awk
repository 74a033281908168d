# unit.awk - writes a big C file that needs no headers: loops, switches, structures, floats, calls
BEGIN {
	print "struct node { struct node *next; long key; double w; int a[8]; };"
	for (k = 0; k < 60; k++) {
		p = k ? k - 1 : 0
		printf "static long tab%d[64];\n", k
		printf "long f%d(struct node *n, long x)\n{\n\tlong s = x;\n", k
		printf "\tfor (; n; n = n->next) {\n\t\tswitch ((n->key + x) %% %d) {\n", 5 + k % 7
		for (c = 0; c < 5 + k % 5; c++)
			printf "\t\tcase %d: s += n->a[%d] * %d; n->w = n->w * %d.5 + s; break;\n", c, c % 8, k * 3 + c, c + 1
		printf "\t\tdefault: s ^= tab%d[s & 63]; break;\n\t\t}\n", k
		printf "\t\tfor (int i = 0; i < 8; i++)\n\t\t\tif (n->a[i] > %d)\n\t\t\t\ttab%d[i * %d & 63] += n->a[i] << %d;\n", k, k, k + 1, k % 5
		printf "\t}\n"
		if (k)
			printf "\treturn s & 1 ? f%d((struct node *)tab%d, s >> 1) : s / %d;\n}\n", p, k, k + 2
		else
			printf "\treturn s;\n}\n"
	}
}
