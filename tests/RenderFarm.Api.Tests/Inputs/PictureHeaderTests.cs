using RenderFarm.Api.Inputs.Formats;

namespace RenderFarm.Api.Tests.Inputs;

/// <summary>Pictures are judged from their bytes alone, and hostile ones cost next to nothing.</summary>
public sealed class PictureHeaderTests
{
    public static TheoryData<string, byte[]> Kinds { get; } =
        new()
        {
            { "image/jpeg", SamplePictures.Jpeg },
            { "image/webp", SamplePictures.WebP },
            { "image/webp", SamplePictures.WebPLossless },
            { "image/gif", SamplePictures.Gif },
            { "image/bmp", SamplePictures.Bmp },
            { "image/png", SamplePictures.Png() },
        };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Read_EachKind_TellsTypeAndSize(string type, byte[] file) =>
        Assert.Equal(new PictureInfo(type, 24, 16), PictureHeader.Read(file));

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Read_CutShortAnywhere_IsRefusedAndNothingElseIsThrown(string type, byte[] file)
    {
        // The last two bytes of a JPEG are its end; a GIF's trailer and a PNG's last checksum are not missed.
        var whole =
            file.Length
            - (
                type == "image/jpeg" ? 2
                : type == "image/gif" ? 2
                : 1
            );
        for (var length = 0; length <= whole; length++)
        {
            Assert.Throws<PictureFaultException>(() => PictureHeader.Read(file.AsSpan(0, length)));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Read_WithAnyByteSpoilt_IsReadOrRefusedAndNothingElseIsThrown(string type, byte[] file)
    {
        Assert.NotNull(type);
        for (var at = 0; at < file.Length; at++)
        {
            foreach (var value in (byte[])[0, 1, 0x7F, 0x80, 0xFF])
            {
                var spoilt = file.ToArray();
                spoilt[at] = value;
                try
                {
                    var info = PictureHeader.Read(spoilt);
                    Assert.InRange(info.Pixels, 1, PictureHeader.MaxPixels);
                }
                catch (PictureFaultException)
                {
                    // Refused, as it may be.
                }
            }
        }
    }

    [Fact]
    public void Read_APictureOnItsSide_IsTurned()
    {
        Assert.Equal((16, 24), Size(SamplePictures.JpegTurned));
        Assert.Equal((16, 24), Size(SamplePictures.Png(exif: SamplePictures.ExifTurned)));

        static (int, int) Size(byte[] file) => PictureHeader.Read(file) is var info ? (info.Width, info.Height) : default;
    }

    [Fact]
    public void Read_AnImageBomb_IsRefusedByItsSizeBeforeAnyPixel()
    {
        foreach (var (width, height) in new[] { (100_000, 100_000), (int.MaxValue, int.MaxValue), (16_384, 16_384), (0, 10), (-1, 10) })
        {
            Assert.Throws<PictureFaultException>(() => PictureHeader.Read(SamplePictures.Png(width, height, pixelBytes: 10)));
        }
    }

    [Fact]
    public void Read_ADecompressionBomb_IsRefusedAtItsFirstByteTooMany()
    {
        var bomb = SamplePictures.Png(pixelBytes: 1L << 30);
        Assert.InRange(bomb.Length, 1, 5 << 20);
        var before = GC.GetAllocatedBytesForCurrentThread();

        var refused = Assert.Throws<PictureFaultException>(() => PictureHeader.Read(bomb));

        Assert.Contains("more pixels than its size has", refused.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 16 << 20);
    }

    [Fact]
    public void Read_PixelsThatAreMissing_IsRefused() =>
        Assert.Contains(
            "pixels are missing",
            Assert.Throws<PictureFaultException>(() => PictureHeader.Read(SamplePictures.Png(pixelBytes: 100))).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData(24, 16, 1168 + 7)] // Rows of the seven passes, found by hand: 3x2, 3x2, 6x2, 6x4, 12x4, 12x8, 24x8
    public void Read_AnInterlacedPng_CountsItsPasses(int width, int height, int notThat)
    {
        var rows = new[] { (3, 2), (3, 2), (6, 2), (6, 4), (12, 4), (12, 8), (24, 8) }.Sum(pass => pass.Item2 * (1 + (3 * pass.Item1)));

        Assert.Equal(width, PictureHeader.Read(SamplePictures.Png(width, height, rows, interlaced: true)).Width);
        Assert.Throws<PictureFaultException>(() => PictureHeader.Read(SamplePictures.Png(width, height, notThat, interlaced: true)));
    }

    [Theory]
    [InlineData("<svg xmlns='http://www.w3.org/2000/svg'/>")]
    [InlineData("%PDF-1.7")]
    [InlineData("")]
    public void Read_WhatIsNoPicture_IsRefusedNamingTheKindsThereAre(string text) =>
        Assert.Contains(
            "JPEG, PNG",
            Assert.Throws<PictureFaultException>(() => PictureHeader.Read(System.Text.Encoding.ASCII.GetBytes(text))).Message,
            StringComparison.Ordinal
        );
}
