// A peer for paired timings: loads a model in ONNX Runtime, then answers every line "N" on standard input with the seconds that N runs took.
// node onnxruntime.cjs MODEL THREADS INPUT_NAME D0 D1 ...   (module onnxruntime-node is looked up from the folder in TENSORIAL_ONNXRUNTIME)
const path = require('path');
const readline = require('readline');
let ort;
try {
  ort = require(require.resolve('onnxruntime-node', { paths: [process.env.TENSORIAL_ONNXRUNTIME || __dirname] }));
} catch {
  console.error('onnxruntime-node was not found: set TENSORIAL_ONNXRUNTIME to a folder that holds node_modules with it.');
  process.exit(1);
}

(async () => {
  const [model, threads, input, ...dims] = process.argv.slice(2);
  const shape = dims.map(Number);
  const session = await ort.InferenceSession.create(path.resolve(model), {
    intraOpNumThreads: Number(threads), interOpNumThreads: 1, graphOptimizationLevel: 'all', executionMode: 'sequential',
  });
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  let state = 1; // a small linear congruential generator: the same pixels every time
  for (let i = 0; i < values.length; i++) { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; values[i] = state / 4294967296 - 0.5; }
  const feeds = { [input]: new ort.Tensor('float32', values, shape) };
  await session.run(feeds);
  console.log('ready ' + ort.env.versions.node);
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const runs = Number(line);
    const start = process.hrtime.bigint();
    for (let i = 0; i < runs; i++) await session.run(feeds);
    console.log(Number(process.hrtime.bigint() - start) / 1e9);
  }
})();
