using Google.Protobuf;
using Tensorial.Onnx.Proto;
using Tensorial.Reports;
using Tensorial.Tests.Cli;
using Tensorial.Tests.Onnx;

namespace Tensorial.Tests.Hostile;

/// <summary>Names from files on their way to terminals and spreadsheets.</summary>
public sealed class PrintableTests : IDisposable
{
    private const string Evil = "\u001b]0;owned\u0007\u001b[2J\rgone\u009b31m\u202e\n=cmd|'/c calc'!A1";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(true);

    [Theory]
    [InlineData("plain: grün, 日本語, 🙂", "plain: grün, 日本語, 🙂")]
    [InlineData("\u001b[2J", "\\u001B[2J")]
    [InlineData("a\r\nb\tc", "a\\u000D\\u000Ab\\u0009c")]
    [InlineData("\u009b\u202e\u2028", "\\u009B\\u202E\\u2028")]
    [InlineData("", "")]
    public void Control_characters_are_shown(string text, string shown) => Assert.Equal(shown, Printable.Escape(text));

    [Fact]
    public void Half_a_pair_is_shown() => Assert.Equal("a\\uD83Db\\uDE42", Printable.Escape("a\ud83db\ude42"));

    [Fact]
    public void Long_texts_keep_beginning_and_end()
    {
        string text = Printable.Shorten($"first{new string('x', 5000)}last");

        Assert.Equal(Printable.LongestMessage, text.Length);
        Assert.StartsWith("first", text);
        Assert.EndsWith("last", text);
    }

    [Fact]
    public async Task Nothing_from_a_file_reaches_the_terminal_or_a_table_raw()
    {
        ModelProto model = TinyModel.Convolutional();
        foreach (NodeProto node in model.Graph.Node)
            node.Name += Evil;
        foreach (TensorProto tensor in model.Graph.Initializer)
        {
            foreach (NodeProto node in model.Graph.Node)
                for (int i = 0; i < node.Input.Count; i++)
                    if (node.Input[i] == tensor.Name)
                        node.Input[i] = "=" + tensor.Name + Evil;
            tensor.Name = "=" + tensor.Name + Evil;
        }
        string path = Path.Combine(_folder.FullName, "model.onnx"),
            csv = Path.Combine(_folder.FullName, "csv");
        File.WriteAllBytes(path, model.ToByteArray());
        NodeProto broken = model.Graph.Node[0];
        string other = Path.Combine(_folder.FullName, "broken.onnx");

        CommandRun[] runs =
        [
            await CommandRun.Of("inspect", path),
            await CommandRun.Of("analyze", path, "--csv", csv),
            await CommandRun.Of("compress", path, Path.Combine(_folder.FullName, "o.onnx"), "--target", "params=0.9"),
        ];
        broken.Input[1] = $"nothing{Evil}{new string('y', 100_000)}";
        File.WriteAllBytes(other, model.ToByteArray());
        CommandRun refused = await CommandRun.Of("evaluate", other, "--data", "sample");

        Assert.Equal(3, refused.Code);
        Assert.InRange(refused.Error.Length, 1, 3000);
        foreach (string text in (string[])[.. runs.Select(static run => run.Output + run.Error), refused.Error])
            Assert.DoesNotContain(text, static letter => char.IsControl(letter) && letter is not '\n');
        foreach (string file in Directory.GetFiles(csv))
        {
            string text = File.ReadAllText(file);
            Assert.DoesNotContain(text, static letter => char.IsControl(letter) && letter is not ('\n' or '\r'));
            Assert.DoesNotContain(
                text.Split('\n').SelectMany(static line => line.Split(',')),
                static cell => cell.Trim('"').StartsWith('=')
            );
        }
    }

    [Theory]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData("+cmd", "'+cmd")]
    [InlineData("-cmd", "'-cmd")]
    [InlineData(" =1", "' =1")]
    [InlineData("-0.5", "-0.5")]
    [InlineData("+1e-3", "+1e-3")]
    [InlineData("conv1.weight", "conv1.weight")]
    public void A_cell_starts_no_formula(string name, string cell)
    {
        using StringWriter writer = new();
        CsvWriter.Write(
            new Table(
                [new("name", "Name", CellFormat.Text)],
                [
                    [name],
                ]
            ),
            writer
        );

        Assert.Equal($"name\r\n{cell}\r\n", writer.ToString());
    }
}
