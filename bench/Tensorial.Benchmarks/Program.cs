using Tensorial.Benchmarks.Networks;

switch (args)
{
    case ["profile", string model, .. string[] rest]:
        Profile.Run(model, rest is [string images] ? int.Parse(images) : 4);
        break;
    default:
        Console.Error.WriteLine("profile MODEL.onnx [IMAGES]");
        return 2;
}
return 0;
