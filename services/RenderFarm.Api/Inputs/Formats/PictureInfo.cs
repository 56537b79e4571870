namespace RenderFarm.Api.Inputs.Formats;

/// <summary>What is known of a picture without decoding it.</summary>
/// <param name="ContentType">By its content; what it was called doesn't count.</param>
/// <param name="Width">As it is seen, after its orientation.</param>
/// <param name="Height">As it is seen, after its orientation.</param>
internal sealed record PictureInfo(string ContentType, int Width, int Height)
{
    public long Pixels => (long)Width * Height;
}

/// <summary>A file is not a picture that is taken; the message ends a sentence about it.</summary>
internal sealed class PictureFaultException(string fault) : Exception(fault);
