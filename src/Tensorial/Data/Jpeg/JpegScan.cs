namespace Tensorial.Data.Jpeg;

/// <summary>
/// One scan of a frame: some components, some of their coefficients, some of the bits of those (ITU-T T.81, annexes F and G). A sequential
/// scan has all of them.
/// </summary>
/// <param name="components">The components, in order.</param>
/// <param name="from">First coefficient in zigzag order.</param>
/// <param name="to">Last coefficient.</param>
/// <param name="high">Bit that an earlier scan went down to; 0 where this is the first.</param>
/// <param name="low">Bit this scan goes down to.</param>
/// <param name="isProgressive">Whether coefficients are kept until all scans are read.</param>
/// <param name="name">What messages call the file.</param>
internal sealed class JpegScan(JpegComponent[] components, int from, int to, int high, int low, bool isProgressive, string name)
{
    /// <summary>Where each coefficient of the zigzag lies in rows.</summary>
    internal static ReadOnlySpan<byte> Zigzag =>
        [
            0,
            1,
            8,
            16,
            9,
            2,
            3,
            10,
            17,
            24,
            32,
            25,
            18,
            11,
            4,
            5,
            12,
            19,
            26,
            33,
            40,
            48,
            41,
            34,
            27,
            20,
            13,
            6,
            7,
            14,
            21,
            28,
            35,
            42,
            49,
            56,
            57,
            50,
            43,
            36,
            29,
            22,
            15,
            23,
            30,
            37,
            44,
            51,
            58,
            59,
            52,
            45,
            38,
            31,
            39,
            46,
            53,
            60,
            61,
            54,
            47,
            55,
            62,
            63,
        ];

    private readonly short[] _block = new short[64];
    private JpegBits _bits;

    /// <summary>Blocks to come whose coefficients in this scan are all zero.</summary>
    private int _emptyRun;

    /// <summary>Reads the scan.</summary>
    /// <param name="file">The file.</param>
    /// <param name="position">Where its bits begin.</param>
    /// <param name="restart">Coded units between restart markers; 0 for none.</param>
    /// <param name="cancel">Asked once a row.</param>
    /// <returns>Where they end.</returns>
    public int Read(ReadOnlyMemory<byte> file, int position, int restart, CancellationToken cancel)
    {
        _bits = new(file, position, name);
        foreach (JpegComponent component in components)
            component.Prediction = 0;
        // A single component comes block by block, without the padding to whole coded units.
        bool isSingle = components.Length == 1;
        JpegComponent first = components[0];
        int across = isSingle ? (first.Width + 7) / 8 : first.BlocksAcross / first.Across,
            down = isSingle ? (first.Height + 7) / 8 : first.BlocksDown / first.Down;
        for (int unit = 0; unit < across * down; unit++)
        {
            (int row, int column) = (unit / across, unit % across);
            if (column == 0)
                cancel.ThrowIfCancellationRequested();
            if (restart > 0 && unit > 0 && unit % restart == 0)
            {
                _bits.Restart();
                _emptyRun = 0;
                foreach (JpegComponent component in components)
                    component.Prediction = 0;
            }
            if (isSingle)
                Block(first, row, column);
            else
                foreach (JpegComponent component in components)
                    for (int v = 0; v < component.Down; v++)
                    for (int h = 0; h < component.Across; h++)
                        Block(component, row * component.Down + v, column * component.Across + h);
        }
        return _bits.Position;
    }

    private void Block(JpegComponent component, int row, int column)
    {
        if (!isProgressive)
        {
            Array.Clear(_block);
            Sequential(component);
            component.Transform(_block, row, column);
            return;
        }
        Span<short> block = component.Coefficients.AsSpan(64 * (row * component.BlocksAcross + column), 64);
        if (from == 0)
        {
            if (high == 0)
                block[0] = (short)(Difference(component) << low);
            else if (_bits.Take(1) == 1)
                block[0] |= (short)(1 << low);
        }
        else if (high == 0)
            First(component.Ac!, block);
        else
            Refined(component.Ac!, block);
    }

    private int Difference(JpegComponent component)
    {
        int category = component.Dc!.Take(ref _bits);
        if (category > 15)
            throw Damaged();
        return component.Prediction += _bits.TakeSigned(category);
    }

    private void Sequential(JpegComponent component)
    {
        _block[0] = (short)Difference(component);
        JpegHuffman codes = component.Ac!;
        ReadOnlySpan<byte> zigzag = Zigzag;
        for (int k = 1; k < 64; k++)
        {
            int symbol = codes.Take(ref _bits),
                category = symbol & 15;
            if (category == 0)
            {
                if (symbol != 0xF0)
                    return;
                k += 15;
                continue;
            }
            k += symbol >> 4;
            if (k > 63)
                throw Damaged();
            _block[zigzag[k]] = (short)_bits.TakeSigned(category);
        }
    }

    private void First(JpegHuffman codes, Span<short> block)
    {
        if (_emptyRun > 0)
        {
            _emptyRun--;
            return;
        }
        for (int k = from; k <= to; k++)
        {
            int symbol = codes.Take(ref _bits),
                run = symbol >> 4,
                category = symbol & 15;
            if (category == 0)
            {
                if (run < 15)
                {
                    _emptyRun = (1 << run) - 1 + _bits.Take(run);
                    return;
                }
                k += 15;
                continue;
            }
            k += run;
            if (k > to)
                throw Damaged();
            block[Zigzag[k]] = (short)(_bits.TakeSigned(category) << low);
        }
    }

    /// <summary>One more bit of each coefficient that is not zero, and new ones of a single bit among the zeros.</summary>
    private void Refined(JpegHuffman codes, Span<short> block)
    {
        int bit = 1 << low,
            k = from;
        if (_emptyRun == 0)
        {
            for (; k <= to; k++)
            {
                int symbol = codes.Take(ref _bits),
                    run = symbol >> 4,
                    value = 0;
                if ((symbol & 15) == 0)
                {
                    if (run < 15)
                    {
                        _emptyRun = (1 << run) + _bits.Take(run);
                        break;
                    }
                }
                else
                    value = _bits.Take(1) == 1 ? bit : -bit;
                for (; k <= to; k++)
                {
                    ref short known = ref block[Zigzag[k]];
                    if (known != 0)
                        Refine(ref known, bit);
                    else if (run-- == 0)
                    {
                        known = (short)value;
                        break;
                    }
                }
            }
        }
        if (_emptyRun == 0)
            return;
        for (; k <= to; k++)
        {
            ref short known = ref block[Zigzag[k]];
            if (known != 0)
                Refine(ref known, bit);
        }
        _emptyRun--;
    }

    private void Refine(ref short known, int bit)
    {
        if (_bits.Take(1) == 1 && (known & bit) == 0)
            known += (short)(known > 0 ? bit : -bit);
    }

    private BadInputException Damaged() => new($"'{name}' is damaged: a block near offset {_bits.Position:N0} is none of a JPEG file.");
}
