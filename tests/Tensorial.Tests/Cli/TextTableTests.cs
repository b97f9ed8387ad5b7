using Tensorial.Cli;

namespace Tensorial.Tests.Cli;

/// <summary>Tables for people at given widths.</summary>
public sealed class TextTableTests
{
    private static readonly string[] Names = ["a", "conv1.weight", "layer4.2.block.conv3.weight", "特徴抽出.畳み込み.重み", "Zürich"];

    private static TextTable Accuracy()
    {
        TextTable table = new("truncated", "cut", "rank#", "norm loss#", new("top-5 %#", 3), new("loss (nats)#", 2), new("parameters#", 1));
        table.AddRow("layer3.4.conv2.weight", "o|ihw", "16", "0.4280", "100.00", "0.2676", "13,631,488");
        table.AddRow("", "oh|iw", "25%", "0.3473", "92.50", "0.2126", "1,382");
        return table;
    }

    [Fact]
    public void A_table_is_as_wide_as_it_needs_to_be_where_nothing_limits_it()
    {
        TableText text = Accuracy().Render(null);
        Assert.Equal(
            """
            truncated              cut    rank  norm loss  top-5 %  loss (nats)  parameters
            ───────────────────────────────────────────────────────────────────────────────
            layer3.4.conv2.weight  o|ihw    16     0.4280   100.00       0.2676  13,631,488
                                   oh|iw   25%     0.3473    92.50       0.2126       1,382
            """.ReplaceLineEndings("\n"),
            string.Join('\n', text.Heading.Concat(text.Body))
        );
        Assert.Empty(text.LeftOut);
    }

    [Fact]
    public void Headings_are_wrapped_before_columns_give_way()
    {
        TableText text = Accuracy().Render(72);
        Assert.Equal(2, text.Heading.Count);
        Assert.Empty(text.LeftOut);
    }

    [Fact]
    public void Columns_give_way_by_priority_and_are_named()
    {
        TableText text = Accuracy().Render(56);
        Assert.Equal(["top-5 %", "loss (nats)"], text.LeftOut);
        Assert.Contains("13,631,488", text.Body[1]);
        Assert.Contains("0.4280", text.Body[1]);
    }

    [Fact]
    public void Columns_without_content_are_not_shown_nor_missed()
    {
        TextTable table = new("network", "parameters#", "top-1 %#", new("bytes#", 1));
        table.AddRow("resnet20-cifar10.onnx", "272,474", "", "1,099,213");
        TableText text = table.Render(46);
        Assert.Empty(text.LeftOut);
        Assert.Contains("1,099,213", text.Body[1]);
        Assert.DoesNotContain("top-1", string.Concat(text.Heading));
        Assert.DoesNotContain("top-1", string.Concat(table.Render(null).Heading));
    }

    [Fact]
    public void Names_are_shortened_last_and_keep_their_end()
    {
        TextTable table = new("layer", "parameters#");
        table.AddRow("model.backbone.layer4.2.conv3.weight", "2,359,296");
        Assert.Equal("model.bac…onv3.weight  2,359,296".Length, table.Render(32).Body[1].Length);
        Assert.Matches("^model\\.b.*….*weight +2,359,296$", table.Render(32).Body[1]);
    }

    [Fact]
    public void A_percent_sign_stays_with_its_number() =>
        Assert.Equal(["rank for", "10 %", "norm"], TableLayout.Wrap("rank for 10 % norm", 8));

    /// <summary>At any width: numbers are whole, lines keep the width where columns may go, and the columns that stay are in order.</summary>
    [Fact]
    public void Any_table_keeps_its_numbers_whole()
    {
        Random random = new(7);
        for (int round = 0; round < 500; round++)
        {
            Column[] columns =
            [
                "name",
                .. Enumerable
                    .Range(1, random.Next(1, 9))
                    .Select(k => new Column(string.Join(' ', Enumerable.Repeat("head", random.Next(1, 4))) + $" {k}#", random.Next(1, 5))),
            ];
            TextTable table = new(columns);
            string[][] rows =
            [
                .. Enumerable
                    .Range(0, random.Next(1, 6))
                    .Select(_ =>
                        (string[])
                            [
                                Names[random.Next(Names.Length)],
                                .. columns.Skip(1).Select(_ => random.Next(1, 1 << random.Next(1, 30)).ToString("N0")),
                            ]
                    ),
            ];
            foreach (string[] row in rows)
                table.AddRow(row);
            int width = random.Next(24, 140);
            TableText text = table.Render(width);
            Assert.All(text.Body.Concat(text.Heading), line => Assert.True(CellsOf(line) <= width, $"{width}: '{line}'"));
            int[] left = [.. text.LeftOut.Select(title => Array.FindIndex(columns, column => column.Title == title))];
            int[] shown = [.. Enumerable.Range(1, columns.Length - 1).Except(left)];
            for (int row = 0; row < rows.Length; row++)
            {
                string[] words = text.Body[row + 1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
                Assert.Equal(shown.Select(k => rows[row][k]), words[1..]);
            }
            Assert.All(left, k => Assert.All(shown, other => Assert.True(columns[k].GivesWay >= columns[other].GivesWay)));
        }
    }

    /// <summary>Wide characters take two cells, after Unicode's East Asian Width of the letters used here.</summary>
    private static int CellsOf(string line) => line.EnumerateRunes().Sum(static rune => rune.Value is >= 0x3040 and <= 0x9FFF ? 2 : 1);
}
