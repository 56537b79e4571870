using System.Buffers.Binary;
using RenderFarm.Contracts.Leases;
using RenderFarm.Rendering.Conditioning.Pictures;
using RenderFarm.Testing;
using SkiaSharp;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Tests.Conditioning.Pictures;

/// <summary>Pictures of every sort, written by the library's own encoders and then tampered with.</summary>
public sealed class PictureFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData(SKEncodedImageFormat.Png)]
    [InlineData(SKEncodedImageFormat.Webp)]
    [InlineData(SKEncodedImageFormat.Jpeg)]
    public void Read_AnyFormat_GivesColoursInRowsAndColumns(SKEncodedImageFormat format)
    {
        using var scope = NewDisposeScope();
        var picture = PictureFile.Read(Write(HalfRedHalfBlue(32, 16), format), "input_reference");

        Assert.Equal([1, 3, 16, 32], picture.shape);
        AssertColour(picture, 8, 4, 1, -1, -1); // Red on the left
        AssertColour(picture, 8, 28, -1, -1, 1); // Blue on the right
    }

    [Theory] // Where the left half of the stored picture is, once it is upright
    [InlineData(1, 8, 4)]
    [InlineData(2, 8, 28)]
    [InlineData(3, 8, 28)]
    [InlineData(4, 8, 4)]
    [InlineData(5, 4, 8)]
    [InlineData(6, 4, 8)]
    [InlineData(7, 28, 8)]
    [InlineData(8, 28, 8)]
    public void Read_OrientationTag_TurnsThePictureUpright(int orientation, int row, int column)
    {
        using var scope = NewDisposeScope();
        var path = Write(HalfRedHalfBlue(32, 16), SKEncodedImageFormat.Jpeg);
        var jpeg = File.ReadAllBytes(path);
        byte[] exif =
        [
            0xFF,
            0xE1,
            0,
            34,
            .. "Exif\0\0"u8,
            .. "MM"u8,
            0, 42, 0, 0, 0,
            8, // The big-endian kind, one directory
            0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0,
            (byte)orientation,
            0, 0, 0, 0, 0, 0,
        ];
        BinaryPrimitives.WriteUInt16BigEndian(exif.AsSpan(2), (ushort)(exif.Length - 2));
        File.WriteAllBytes(path, [.. jpeg[..2], .. exif, .. jpeg[2..]]);

        var picture = PictureFile.Read(path, "input_reference");

        Assert.Equal(orientation >= 5 ? [1, 3, 32, 16] : [1, 3, 16, 32], picture.shape);
        AssertColour(picture, row, column, 1, -1, -1);
    }

    [Fact]
    public void Read_TransparentPixels_KeepTheirColour()
    {
        using var scope = NewDisposeScope();
        using var bitmap = new SKBitmap(new SKImageInfo(8, 8, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        bitmap.Erase(new SKColor(0, 255, 0, 3));

        AssertColour(PictureFile.Read(Write(bitmap, SKEncodedImageFormat.Png), "input_reference"), 4, 4, -1, 1, -1);
    }

    [Fact]
    public void Read_WideGamutProfile_IsBroughtToStandardColours()
    {
        using var scope = NewDisposeScope();
        using var wide = SKColorSpace.CreateRgb(SKColorSpaceTransferFn.Srgb, SKColorSpaceXyz.DisplayP3);
        using var bitmap = new SKBitmap(new SKImageInfo(8, 8, SKColorType.Rgba8888, SKAlphaType.Opaque, wide));
        byte[] raw = [.. Enumerable.Range(0, 64).SelectMany(_ => new byte[] { 200, 100, 100, 255 })]; // In the profile's own numbers
        System.Runtime.InteropServices.Marshal.Copy(raw, 0, bitmap.GetPixels(), raw.Length);

        var picture = PictureFile.Read(Write(bitmap, SKEncodedImageFormat.Png), "input_reference");

        // What is 200 red of the wide gamut is more of the standard one's; taken as it stands it would be 0.569
        Assert.True(picture[0, 0, 4, 4].item<float>() > 0.62f, $"{picture[0, 0, 4, 4].item<float>()}");
    }

    [Theory]
    [InlineData(0, "no picture")]
    [InlineData(5, "no picture")]
    [InlineData(400, "cut short")]
    public void Read_PartOfAFile_IsRefusedWithTheReason(int bytes, string reason)
    {
        var path = Write(Noise(64, 64), SKEncodedImageFormat.Png);
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..bytes]);

        var failure = Assert.Throws<RenderException>(() => PictureFile.Read(path, "last_frame"));

        Assert.Equal(FailureReason.InvalidRequest, failure.Reason);
        Assert.Contains("last_frame", failure.Message, StringComparison.Ordinal);
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_PictureThatClaimsBillionsOfPixels_IsRefusedBeforeMemoryIsTaken()
    {
        var path = Write(HalfRedHalfBlue(32, 16), SKEncodedImageFormat.Png);
        var png = File.ReadAllBytes(path);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), 60_000);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), 60_000);
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), Crc(png.AsSpan(12, 17)));
        File.WriteAllBytes(path, png);

        Assert.Contains(
            "60000 × 60000",
            Assert.Throws<RenderException>(() => PictureFile.Read(path, "input_reference")).Message,
            StringComparison.Ordinal
        );
    }

    public void Dispose() => _folder.Dispose();

    private static void AssertColour(Tensor picture, int row, int column, float red, float green, float blue)
    {
        float[] expected = [red, green, blue];
        for (var channel = 0; channel < 3; channel++)
        {
            Assert.InRange(picture[0, channel, row, column].item<float>(), expected[channel] - 0.1f, expected[channel] + 0.1f);
        }
    }

    private static SKBitmap HalfRedHalfBlue(int width, int height)
    {
        var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        for (var i = 0; i < width * height; i++)
        {
            bitmap.SetPixel(i % width, i / width, i % width < width / 2 ? new SKColor(255, 0, 0) : new SKColor(0, 0, 255));
        }

        return bitmap;
    }

    private static SKBitmap Noise(int width, int height)
    {
        var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        for (var i = 0; i < width * height; i++)
        {
            bitmap.SetPixel(i % width, i / width, new SKColor((uint)(i * 2654435761L) | 0xFF000000));
        }

        return bitmap;
    }

    private string Write(SKBitmap bitmap, SKEncodedImageFormat format)
    {
        using (bitmap)
        {
            var path = _folder.File($"picture.{format}");
            using var data = bitmap.Encode(format, 95);
            File.WriteAllBytes(path, data.ToArray());
            return path;
        }
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var octet in bytes)
        {
            crc ^= octet;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
            }
        }
        return ~crc;
    }
}
