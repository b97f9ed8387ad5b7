namespace Tensorial.Data.Fetching;

/// <summary>A file of a data set in its standard format.</summary>
/// <param name="Name">The name its readers look for.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">Its checksum in lower-case hexadecimal digits; null where none was published and nobody had the file to compute it
/// from.</param>
public sealed record DataFile(string Name, long Bytes, string? Sha256);

/// <summary>Something to be downloaded that holds files of a data set.</summary>
/// <param name="Name">What it is called while it lies beside the files.</param>
/// <param name="Files">The names of the files inside.</param>
/// <param name="Places">Where it is, in the order of trying.</param>
/// <param name="Md5">The checksum that its page publishes; null where the files' own say it all.</param>
public sealed record DataDownload(string Name, IReadOnlyList<string> Files, IReadOnlyList<Uri> Places, string? Md5 = null);

/// <summary>A file that is in place now.</summary>
/// <param name="File">Which file.</param>
/// <param name="Path">Where.</param>
/// <param name="Sha256">Its checksum, as computed here; equal to the published one where there is one.</param>
/// <param name="WasThere">Whether it was in place, and intact, before.</param>
public sealed record FetchedFile(DataFile File, string Path, string Sha256, bool WasThere);
