using System.Collections.Immutable;
using System.Xml.Linq;
using Tensorial.Reports.Charts;

namespace Tensorial.Reports.Pdf;

/// <summary>
/// The style sheet of a figure (<see cref="Palette.FileCss"/>) and what it says of an element: selectors of a tag, a class or both, some of
/// them for children of a class only. Of the cascade of CSS that is all the figures use.
/// </summary>
internal sealed class SvgStyles
{
    /// <summary>What nothing was said of yet.</summary>
    public static ImmutableDictionary<string, string> Initial { get; } =
        ImmutableDictionary.CreateRange<string, string>([
            new("fill", "#000000"),
            new("stroke", "none"),
            new("stroke-width", "1"),
            new("stroke-linecap", "butt"),
            new("stroke-linejoin", "miter"),
            new("stroke-dasharray", "none"),
            new("text-anchor", "start"),
            new("opacity", "1"),
            new("font-size", "16px"),
            new("font-weight", "400"),
            new("font-style", "normal"),
        ]);

    private readonly ImmutableArray<Rule> _rules;

    /// <param name="sheet">Rules, without comments and without rules inside rules.</param>
    public SvgStyles(string sheet) =>
        // Of rules that suit an element the more specific one counts, of equally specific ones the last; the sort is stable.
        _rules = [
            .. sheet
                .Split('}', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(Rule.Parse)
                .OrderBy(static rule => rule.Weight),
        ];

    /// <summary>The properties of an element.</summary>
    /// <param name="element">The element.</param>
    /// <param name="parent">Those of the element around it: all are inherited but opacity, which holds for a group as a whole.</param>
    public ImmutableDictionary<string, string> Of(XElement element, ImmutableDictionary<string, string> parent)
    {
        ImmutableDictionary<string, string> style = parent.SetItem("opacity", "1");
        if ((string?)element.Attribute("text-anchor") is { } anchor)
            style = style.SetItem("text-anchor", anchor);
        foreach (Rule rule in _rules)
            if (rule.Suits(element))
                style = style.SetItems(rule.Declarations);
        return style;
    }

    private sealed record Rule(string? Parent, string? Tag, string? Class, ImmutableArray<KeyValuePair<string, string>> Declarations)
    {
        public int Weight => (Tag is null ? 0 : 1) + (Class is null ? 0 : 10) + (Parent is null ? 0 : 10);

        public bool Suits(XElement element) =>
            (Tag is null || element.Name.LocalName == Tag)
            && (Class is null || Has(element, Class))
            && (Parent is null || (element.Parent is { } parent && Has(parent, Parent)));

        /// <summary><c>selector{name:value;name:value</c>, where a selector is <c>tag</c>, <c>.class</c>, <c>tag.class</c>, or one of these
        /// behind <c>.class&gt;</c>.</summary>
        public static Rule Parse(string text)
        {
            (string selector, string body) = text.Split('{') is [var before, var after]
                ? (before, after)
                : throw new InvalidOperationException($"'{text}' is no rule of a figure's style sheet.");
            (string? parent, string own) = selector.Split('>') is [var outer, var inner] ? (outer.TrimStart('.'), inner) : (null, selector);
            string[] names = own.Split('.');
            return new(
                parent,
                names[0].Length > 0 ? names[0] : null,
                names.Length > 1 ? names[1] : null,
                [.. body.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(Declaration)]
            );
        }

        private static KeyValuePair<string, string> Declaration(string text)
        {
            int colon = text.IndexOf(':', StringComparison.Ordinal);
            (string name, string value) = (text[..colon], text[(colon + 1)..]);
            return name == "font" ? new("font-size", value.Split(' ')[0]) : new(name, value);
        }

        private static bool Has(XElement element, string name) => ((string?)element.Attribute("class"))?.Split(' ').Contains(name) == true;
    }
}
