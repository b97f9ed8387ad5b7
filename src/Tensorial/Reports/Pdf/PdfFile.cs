using System.Globalization;
using System.Text;

namespace Tensorial.Reports.Pdf;

/// <summary>
/// A file of one page, PDF 1.4 (ISO 32000-1): ASCII throughout, without a date or anything else that differs from one run to the next.
/// </summary>
internal sealed class PdfFile
{
    private readonly List<string> _objects = [];

    /// <summary>A reference to an object whose content is set later.</summary>
    public Reference Reserve()
    {
        _objects.Add("null");
        return new(_objects.Count);
    }

    /// <summary>Sets the content of an object.</summary>
    public void Set(Reference reference, string content) => _objects[reference.Number - 1] = content;

    /// <summary>Adds an object and returns the reference to it.</summary>
    public Reference Add(string content)
    {
        Reference reference = Reserve();
        Set(reference, content);
        return reference;
    }

    /// <summary>Adds a stream of operators and returns the reference to it.</summary>
    /// <param name="entries">Entries of its dictionary beside the length.</param>
    /// <param name="operators">What it holds.</param>
    public Reference AddStream(string entries, string operators) =>
        Add(string.Create(CultureInfo.InvariantCulture, $"<< {entries}/Length {operators.Length} >>\nstream\n{operators}\nendstream"));

    /// <summary>An object of the file, as others refer to it.</summary>
    /// <param name="Number">From 1.</param>
    public readonly record struct Reference(int Number)
    {
        /// <inheritdoc/>
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Number} 0 R");
    }

    /// <summary>Writes the file.</summary>
    /// <param name="to">Where to.</param>
    /// <param name="catalog">Reference to the catalogue.</param>
    /// <param name="information">Reference to the document's information.</param>
    public void Write(Stream to, Reference catalog, Reference information)
    {
        StringBuilder file = new("%PDF-1.4\n");
        List<int> starts = [];
        for (int k = 0; k < _objects.Count; k++)
        {
            starts.Add(file.Length);
            file.Append(CultureInfo.InvariantCulture, $"{k + 1} 0 obj\n{_objects[k]}\nendobj\n");
        }
        int table = file.Length;
        file.Append(CultureInfo.InvariantCulture, $"xref\n0 {_objects.Count + 1}\n0000000000 65535 f \n");
        foreach (int start in starts)
            file.Append(CultureInfo.InvariantCulture, $"{start:D10} 00000 n \n");
        file.Append(
            CultureInfo.InvariantCulture,
            $"trailer\n<< /Size {_objects.Count + 1} /Root {catalog} /Info {information} >>\nstartxref\n{table}\n%%EOF\n"
        );
        // Every character is a byte, so that places in the text are places in the file.
        to.Write(Encoding.ASCII.GetBytes(file.ToString()));
    }
}
