/* Worker threads, compiled loops, WebAssembly, children, the thread pool of libuv. */
const {Worker, isMainThread, parentPort} = require('worker_threads');
const zlib = require('zlib'), crypto = require('crypto'), fs = require('fs'), child = require('child_process');
const add = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127, 127, 1, 127, 3, 2, 1, 0, 7, 7, 1, 3, 97, 100, 100,
	0, 0, 10, 9, 1, 7, 0, 32, 0, 32, 1, 106, 11]);

async function after(sum)
{
	const size = zlib.gunzipSync(zlib.gzipSync(Buffer.alloc(100000, 7))).length;
	const module = await WebAssembly.instantiate(add);
	const text = await fs.promises.readFile(__filename);

	console.log(sum, size, module.instance.exports.add(2, 3), text.length > 100);
	console.log(crypto.createHash('sha256').update('x').digest('hex').slice(0, 8));
	child.exec('echo child; exit 4', (error, out) => console.log(out.trim(), error.code));
}

if (isMainThread) {
	let left = 6, sum = 0;

	for (let i = 0; i < 6; i++)
		new Worker(__filename).on('message', n => { sum += n; if (!--left) after(sum); });
} else {
	let n = 0;

	for (let i = 0; i < 1e6; i++)
		n = (n + i * i) % 1000003;
	parentPort.postMessage(n);
}
