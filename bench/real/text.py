# text.py - JSON and regular expressions without the C accelerators, and dictionaries of words
import json.decoder
import json.encoder
import json.scanner
import re
import sys

json.encoder.c_make_encoder = None
json.scanner.c_make_scanner = None
scan = json.decoder.JSONDecoder()
scan.parse_string = json.decoder.py_scanstring
scan.scan_once = json.scanner.py_make_scanner(scan)
doc = {'rows': [{'id': i, 'name': 'row %d' % i, 'x': [i * 0.5, None, True]} for i in range(400)]}
for _ in range(12):
    s = ''.join(json.encoder.JSONEncoder().iterencode(doc))
    doc = scan.decode(s)
words = {}
with open(sys.argv[1]) as f:
    for line in f.read(600000).split('\n'):
        m = re.match(r'(\d+) (word\d*) (?:the|a) (\w+).* ([0-9a-f]+)$', line)
        if m:
            words[m.group(2)] = words.get(m.group(2), 0) + int(m.group(4), 16)
print(len(s), len(words), sum(words.values()))
