using System.Text;
using Tensorial.Reports.Charts;

namespace Tensorial.Reports.Html;

/// <summary>One block of a report as HTML.</summary>
internal sealed class BlockWriter(Markup to)
{
    /// <summary>Options a choice may have; each needs a rule in the style sheet.</summary>
    private const int MostOptions = 16;

    private readonly TableWriter _tables = new(to);

    public void Write(Block block)
    {
        switch (block)
        {
            case Heading heading:
                to.Element("h3", heading.Text);
                break;
            case Paragraph paragraph:
                to.Open("p", ("class", paragraph.Leads ? "lead" : null)).Prose(paragraph.Text).Close();
                break;
            case Aside aside:
                Write(aside);
                break;
            case Definitions definitions:
                Write(definitions);
                break;
            case KeyNumbers numbers:
                Write(numbers);
                break;
            case Figure figure:
                Write(figure);
                break;
            case HeatMap map:
                _tables.Write(map);
                break;
            case HeatScale scale:
                Write(scale);
                break;
            case ReportChoice choice:
                Write(choice);
                break;
            case Deck deck:
                Write(deck);
                break;
            case TableBlock table:
                _tables.Write(table);
                break;
            default:
                throw new ArgumentException($"No way to write a {block.GetType().Name}.");
        }
        to.Line();
    }

    /// <summary>The n-th radio button shows the n-th view: needs no script.</summary>
    public static string ChoiceRules()
    {
        StringBuilder rules = new();
        for (int k = 1; k <= MostOptions; k++)
            rules.Append(k == 1 ? "" : ",").Append($".choice>input:nth-of-type({k}):checked~.views>:nth-child({k})");
        return rules.Append("{display:block}\n").ToString();
    }

    private void Write(Aside aside)
    {
        to.Open("aside").Element("h3", aside.Title);
        foreach (Block block in aside.Blocks)
            Write(block);
        to.Close();
    }

    private void Write(Definitions definitions)
    {
        to.Open("dl");
        foreach (Definition item in definitions.Items)
            to.Open("div").Open("dt").Prose(item.Term).Close().Open("dd").Prose(item.Meaning).Close().Close();
        to.Close();
    }

    private void Write(KeyNumbers numbers)
    {
        to.Open("dl", ("class", "key"));
        foreach (KeyNumber item in numbers.Items)
        {
            to.Open("div").Element("dt", item.Label).Element("dd", item.Value);
            if (item.Note.Length > 0)
                to.Element("dd", item.Note, ("class", "note"));
            to.Close();
        }
        to.Close();
    }

    private void Write(Figure figure)
    {
        to.Open("figure", ("id", figure.Id)).Open("figcaption").Prose(figure.Caption).Close();
        if (figure.Legend is { } legend)
            Write(legend);
        to.Open("div", ("class", figure.Charts.Any(static c => c.Size is ChartSize.Wide) ? "charts wide" : "charts")).Line();
        foreach (Chart chart in figure.Charts)
        {
            to.Open("div", ("class", "plot")).Element("h4", chart.Title);
            if (chart.Legend is { } own)
                Write(own);
            ChartSvg.Write(to, chart);
            to.Close().Line();
        }
        to.Close().Close();
    }

    private void Write(Legend legend)
    {
        to.Open("ul", ("class", "legend"));
        foreach (LegendEntry entry in legend.Entries)
        {
            to.Open("li", ("class", entry.Ink.Class), ("data-series", entry.Name));
            to.Open("svg", ("viewBox", "0 0 30 10"), ("aria-hidden", "true")).Open("path", ("class", "line"), ("d", "M1 5H29")).Close();
            to.Element("span", entry.Name).Close();
        }
        if (legend.Depth is { } depth)
        {
            to.Open("li", ("class", "scale"))
                .Element("span", depth.First)
                .Open("i", ("class", "ramp depths"))
                .Close()
                .Element("span", depth.Last)
                .Close();
        }
        to.Close();
    }

    private void Write(HeatScale scale)
    {
        to.Open("p", ("class", "scale"))
            .Element("span", scale.Faint)
            .Open("i", ("class", "ramp heats"))
            .Close()
            .Element("span", scale.Strong);
        to.Open("span", ("class", "note")).Prose(scale.Note).Close().Close();
    }

    private void Write(ReportChoice choice)
    {
        if (choice.Options.Count > MostOptions)
            throw new ArgumentException($"A choice has at most {MostOptions} options, not {choice.Options.Count}.");
        to.Open("div", ("class", "choice"), ("role", "group"), ("aria-label", choice.Label))
            .Element("span", choice.Label, ("class", "label"));
        for (int k = 0; k < choice.Options.Count; k++)
        {
            string id = $"{choice.Id}-{k + 1}";
            to.Open("input", ("type", "radio"), ("name", choice.Id), ("id", id), ("checked", k == choice.First ? "checked" : null));
            to.Element("label", choice.Options[k].Label, ("for", id));
        }
        to.Open("div", ("class", "views")).Line();
        foreach (Option option in choice.Options)
        {
            to.Open("div").Element("p", $"{choice.Label} {option.Label}", ("class", "printed"));
            foreach (Block block in option.Blocks)
                Write(block);
            to.Close().Line();
        }
        to.Close().Close();
    }

    private void Write(Deck deck)
    {
        to.Open("div", ("class", "deck"), ("data-label", deck.Label)).Line();
        foreach (Card card in deck.Cards)
        {
            to.Open("details", ("id", card.Id))
                .Open("summary")
                .Element("span", card.Name, ("class", "name"))
                .Text(" ")
                .Element("span", card.Detail, ("class", "note"))
                .Close()
                .Line();
            foreach (Block block in card.Blocks)
                Write(block);
            to.Close().Line();
        }
        to.Close();
    }
}
