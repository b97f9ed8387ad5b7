// Runs a model in ONNX Runtime: node onnxruntime.cjs MODEL INPUT.f32 OUTPUT.f32 D0 D1 ...   (raw little-endian float32, one input, first output)
const fs = require('fs');
const ort = require(require.resolve('onnxruntime-node', { paths: [process.env.TENSORIAL_ONNXRUNTIME] }));

(async () => {
  const [model, input, output, ...dims] = process.argv.slice(2);
  const session = await ort.InferenceSession.create(model);
  const bytes = fs.readFileSync(input);
  const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const results = await session.run({ [session.inputNames[0]]: new ort.Tensor('float32', values, dims.map(Number)) });
  const first = results[session.outputNames[0]].data;
  fs.writeFileSync(output, Buffer.from(first.buffer, first.byteOffset, first.byteLength));
})();
