using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace RenderFarm.Api.Tests.Inputs;

/// <summary>Small pictures of every kind, 24 x 16, and ways to spoil them.</summary>
internal static class SamplePictures
{
    public static readonly byte[] Jpeg = Convert.FromBase64String(
        "/9j/4AAQSkZJRgABAgAAAQABAAD//gAQTGF2YzU5LjM3LjEwMAD/2wBDAAgEBAQEBAUFBQUFBQYGBgYGBgYGBgYGBgYHBwcICAgHBwcGBgcHCAgICAkJCQgICAgJCQoKCg"
            + "wMCwsODg4RERT/xACAAAEBAQEAAAAAAAAAAAAAAAAGAwUEAQEBAQEBAAAAAAAAAAAAAAAGAwEEBRAAAQMDAwMCBwEAAAAAAAAAAgMEAQUGEhEHExQiIQDFR2GEQT"
            + "IzIzERAAEDBAECBAUFAQAAAAAAAAIDBAEFBhESExQHIyEVACJHhTNBxDJRxTEI/8AAEQgAEAAYAwESAAISAAMSAP/aAAwDAQACEQMRAD8AIbM0ZGbCrtaI5lYKgT"
            + "JEMR0TghYEopBTqWRgfH246BJxOUF4SbTUC32u21Up6d00xwos+65TAm2aGQtAkCTh6U9pJBEnMj5VGNP819iyKCxd1xGpOU03BJ+EikqkmoCSiPji4HeCmFRPTi"
            + "IdZCYmYmZnyM0buhcdDq4MGViVasHlVfLdR1tpIQntonSl51j/AHbOPx7va98vD7i2X286VL09d+/uR6sRmROlUKS9Fi2JDyR4mrpqL2JUhWZcg3UT4yQyWVazFL"
            + "O7j0G+qQ6K64YA7pTZgxbTEVFybCoESSLpuq88YG6xuJRBBQ+JEi8hzMdewPxW+n939VsNunZ1Mvp3SFwutWo8XVNWOkKUzSH+nP05PC88p/mCX6i+end/2T8qvr"
            + "P9L7v3PaI9207GO6nSfa+ab13SjW9Smp8/p+/B150j7PCnvpCv3hzjyzG8/mP9b/WezNTvi4aw9ulu7s6qUpOpepdWuvLnSl83Pvz8lORjwdy23JL9k5x+NXbK8X"
            + "tK3bToJgTptWhUZp5rnEU8m9MVqXKknMGEwr0xJqJxCcyRipn2YkYsl9cC1+MbsbW1VHTmkqqOFqMik5UXxc0lzTx5FAaEaUf35YIm85Y4/fX0asGoOppYMCUI0I"
            + "E1gAiMoSIFlIwnElqEHylJ4HJTETn2kQ7e29azBRxS70pdywkBJ4ZC2wUqKEcfEhUneJ+AoiMTnE/x7T2lZ1AT7L2PdiLNFtViVrdNcuEEG6Rv0XNUdHBPVRR6hw"
            + "o2hgkm1k1dUkzUHWcxhHYVOojztDa9subgp7BNFw/es6gsaEBUgF47lx06Ruk4IWqr0EVjTWUgDgYKBkse/wD/2Q=="
    );
    public static readonly byte[] WebP = Convert.FromBase64String(
        "UklGRkIBAABXRUJQVlA4IDYBAABwBwCdASoYABAAPpE4l0eloyIhMAgAsBIJbACdHYBnqv7Ab4B6AHWAfpn6MHsK/rz+oHs13MZbAOCiX96ZrhD9qU6N4AD++qHqyBZiFb"
            + "NeQtECE7TbCB76Mx/mZO0OMX4/MUhsGSyzGtYyYc/ajZ6gOFK+UnrLCQxhkCelZu47/M5sLMqaf//5kxFarYLrMt57yHhhzRPRseW3ibdRQAsKx98v8xsdFGxht7"
            + "yP/sbJz3Depa6aUeRMGjnnuruSS9X4sfzsWilEfTPjsQqC/ygPh+IZ+T/ITfWbwUGJ//fYryZ/+nQdiT/u69uZlU0cMf+Q/ux94UfPeBKd/7F/3VJI/LlxXK/3/K"
            + "5VUIEaTYMH/++mo/zFT99GUpaPsj/deRI/5EVQ2RwvJyH//Hu//DWRmdXQAAAA"
    );
    public static readonly byte[] WebPLossless = Convert.FromBase64String("UklGRhwAAABXRUJQVlA4TA8AAAAvF8ADAAcQ7Y/+ByKi/wEA");
    public static readonly byte[] Gif = Convert.FromBase64String(
        "R0lGODlhGAAQAPcfMQAAACQAAEgAAGwAAJAAALQAANgAAPwAAAAkACQkAEgkAGwkAJAkALQkANgkAPwkAABIACRIAEhIAGxIAJBIALRIANhIAPxIAABsACRsAEhsAGxsAJ"
            + "BsALRsANhsAPxsAACQACSQAEiQAGyQAJCQALSQANiQAPyQAAC0ACS0AEi0AGy0AJC0ALS0ANi0APy0AADYACTYAEjYAGzYAJDYALTYANjYAPzYAAD8ACT8AEj8AG"
            + "z8AJD8ALT8ANj8APz8AAAAVSQAVUgAVWwAVZAAVbQAVdgAVfwAVQAkVSQkVUgkVWwkVZAkVbQkVdgkVfwkVQBIVSRIVUhIVWxIVZBIVbRIVdhIVfxIVQBsVSRsVU"
            + "hsVWxsVZBsVbRsVdhsVfxsVQCQVSSQVUiQVWyQVZCQVbSQVdiQVfyQVQC0VSS0VUi0VWy0VZC0VbS0Vdi0Vfy0VQDYVSTYVUjYVWzYVZDYVbTYVdjYVfzYVQD8VS"
            + "T8VUj8VWz8VZD8VbT8Vdj8Vfz8VQAAqiQAqkgAqmwAqpAAqrQAqtgAqvwAqgAkqiQkqkgkqmwkqpAkqrQkqtgkqvwkqgBIqiRIqkhIqmxIqpBIqrRIqthIqvxIqg"
            + "BsqiRsqkhsqmxsqpBsqrRsqthsqvxsqgCQqiSQqkiQqmyQqpCQqrSQqtiQqvyQqgC0qiS0qki0qmy0qpC0qrS0qti0qvy0qgDYqiTYqkjYqmzYqpDYqrTYqtjYqv"
            + "zYqgD8qiT8qkj8qmz8qpD8qrT8qtj8qvz8qgAA/yQA/0gA/2wA/5AA/7QA/9gA//wA/wAk/yQk/0gk/2wk/5Ak/7Qk/9gk//wk/wBI/yRI/0hI/2xI/5BI/7RI/9"
            + "hI//xI/wBs/yRs/0hs/2xs/5Bs/7Rs/9hs//xs/wCQ/ySQ/0iQ/2yQ/5CQ/7SQ/9iQ//yQ/wC0/yS0/0i0/2y0/5C0/7S0/9i0//y0/wDY/yTY/0jY/2zY/5DY/7"
            + "TY/9jY//zY/wD8/yT8/0j8/2z8/5D8/7T8/9j8//z8/yH/C05FVFNDQVBFMi4wAwEAAAAh+QQEAAAfACwAAAAAGAAQAAAIMwAPCBxIsKDBgwgTKlxo0MBBhw0ZSp"
            + "xIsaJEiAUxEtRosaNHixwFhjww8qPJkxcfqhQYEAA7"
    );

    public static byte[] Bmp
    {
        get
        {
            var file = new byte[54 + (24 * 16 * 3)];
            Encoding.ASCII.GetBytes("BM").CopyTo(file, 0);
            BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(10), 54);
            BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(14), 40);
            BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(18), 24);
            BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(22), -16);
            BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(28), 24);
            return file;
        }
    }

    /// <summary>An 8-bit RGB PNG whose pixels unpack to <paramref name="pixelBytes"/> zeros; by default as many as its size has.</summary>
    public static byte[] Png(int width = 24, int height = 16, long? pixelBytes = null, bool interlaced = false, byte[]? exif = null)
    {
        using var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9], header[12]) = (8, 2, interlaced ? (byte)1 : (byte)0);
        Chunk(file, "IHDR", header);
        if (exif is not null)
        {
            Chunk(file, "eXIf", exif);
        }

        Chunk(file, "IDAT", Zeros(pixelBytes ?? height * (1 + (3L * width))));
        Chunk(file, "IEND", []);
        return file.ToArray();
    }

    /// <summary>Notes of a camera that was held upright.</summary>
    public static byte[] ExifTurned { get; } =
    [(byte)'M', (byte)'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0];

    /// <summary>The JPEG with notes in front.</summary>
    public static byte[] JpegTurned
    {
        get
        {
            byte[] notes = [.. "Exif\0\0"u8, .. ExifTurned];
            return [0xFF, 0xD8, 0xFF, 0xE1, 0, (byte)(notes.Length + 2), .. notes, .. Jpeg.AsSpan(2)];
        }
    }

    private static void Chunk(MemoryStream file, string name, byte[] data)
    {
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, data.Length);
        file.Write(length);
        file.Write(Encoding.ASCII.GetBytes(name));
        file.Write(data);
        file.Write([0, 0, 0, 0]); // The checksum: nobody here looks at it
    }

    private static byte[] Zeros(long count)
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal))
        {
            var block = new byte[1 << 20];
            for (; count > 0; count -= block.Length)
            {
                zlib.Write(block, 0, (int)Math.Min(count, block.Length));
            }
        }

        return packed.ToArray();
    }
}
