namespace Tensorial.Reports.Charts;

/// <summary>Colour and dash of a line, as class names of the style sheet, which knows them for light and dark.</summary>
/// <param name="Colour">Class of the colour.</param>
/// <param name="Dash">0 solid, 1 dashed, 2 dotted.</param>
internal readonly record struct Ink(string Colour, int Dash)
{
    /// <summary>
    /// Cuts of the same kind share a hue and differ by dash, so that four hues do, which stay apart for colour-blind eyes and, by dash, in
    /// print: single channel modes, single spatial modes, all of space against channels, one spatial mode with each channel mode.
    /// </summary>
    public static Ink OfCut(string cut, int index) =>
        cut switch
        {
            "o|ihw" or "o|i" => new("hue0", 0),
            "i|ohw" => new("hue0", 1),
            "oh|iw" => new("hue1", 0),
            "ow|ih" => new("hue1", 1),
            "oi|hw" => new("hue2", 0),
            "h|oiw" => new("hue3", 0),
            "w|oih" => new("hue3", 1),
            _ => new("hue" + (index % Palette.Hues), index / Palette.Hues % 3),
        };

    /// <summary>The colour of text: for the one line that all others are compared with.</summary>
    public static Ink Plain { get; } = new("plain", 0);

    /// <summary>From the first layer to the last.</summary>
    public static Ink OfDepth(int layer, int layers) =>
        new("depth" + (layers <= 1 ? Palette.Depths / 2 : layer * (Palette.Depths - 1) / (layers - 1)), 0);

    public string Class =>
        Dash switch
        {
            0 => Colour,
            1 => Colour + " dash",
            _ => Colour + " dot",
        };
}
