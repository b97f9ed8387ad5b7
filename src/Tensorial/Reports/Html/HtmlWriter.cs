using System.Security.Cryptography;
using System.Text;
using Tensorial.Reports.Charts;

namespace Tensorial.Reports.Html;

/// <summary>
/// Sets a report as one HTML page that needs nothing else: style, script and charts are inside, and a policy forbids all requests and all
/// other scripts.
/// </summary>
internal static class HtmlWriter
{
    private static readonly string Style = Resource("report.css"),
        Script = Resource("report.js");

    public static void Write(Report report, TextWriter writer)
    {
        string script = "\n" + Script;
        string hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(script)));
        Markup to = new(writer);
        to.Raw("<!DOCTYPE html>\n").Open("html", ("lang", "en")).Line().Open("head").Line();
        to.Open("meta", ("charset", "utf-8")).Line();
        to.Open(
                "meta",
                ("http-equiv", "Content-Security-Policy"),
                (
                    "content",
                    $"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{hash}'; img-src data:; base-uri 'none'; form-action 'none'"
                )
            )
            .Line();
        to.Open("meta", ("name", "viewport"), ("content", "width=device-width, initial-scale=1")).Line();
        to.Open("meta", ("name", "color-scheme"), ("content", "light dark")).Line();
        to.Element("title", $"{report.Title} – {report.Kind}").Line();
        to.Open("style").Raw("\n" + StyleSheet()).Close().Line().Close().Line();
        to.Open("body").Line().Open("header").Element("p", report.Kind, ("class", "kind")).Element("h1", report.Title).Close().Line();
        WriteContents(to, report);
        to.Open("main").Line();
        int number = 0;
        BlockWriter blocks = new(to);
        foreach (Section section in report.Sections)
        {
            to.Open("section", ("id", section.Id));
            to.Open("h2").Element("span", (++number).ToString(), ("class", "number")).Text(" " + section.Title).Close().Line();
            foreach (Block block in section.Blocks)
                blocks.Write(block);
            to.Close().Line();
        }
        to.Close().Line();
        to.Open("div", ("id", "tip"), ("hidden", "hidden")).Close().Line();
        to.Open("script").Raw(script).Close().Line().Close().Line().Close().Line();
    }

    private static void WriteContents(Markup to, Report report)
    {
        to.Open("nav", ("aria-label", "Contents")).Open("ol");
        foreach (Section section in report.Sections)
            to.Open("li").Element("a", section.Title, ("href", "#" + section.Id)).Close();
        to.Close().Close().Line();
    }

    private static string StyleSheet() =>
        Palette.Light.Css()
        + "@media screen and (prefers-color-scheme:dark){\n"
        + Palette.Dark.Css()
        + "}\n"
        + BlockWriter.ChoiceRules()
        + Style;

    private static string Resource(string name)
    {
        using Stream stream = typeof(HtmlWriter).Assembly.GetManifestResourceStream("Tensorial.Reports." + name)!;
        using StreamReader reader = new(stream);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
