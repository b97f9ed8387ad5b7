using Tensorial.Samples;

LibraryPage.Evaluate();
LibraryPage.Spectra();
LibraryPage.Compress();
LibraryPage.Build();
LibraryPage.Equations();
