using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Api.Workers;

/// <summary>
/// An upload as its id says it, so that no API has to remember one: what it was promised to be, and the store's own id of it. It gives
/// no right to anything: whose object it is about comes from the lease of the call.
/// </summary>
/// <param name="StoreId">Empty when the object was there before.</param>
internal sealed record UploadHandle(UploadKind Kind, long SizeBytes, string Sha256, string StoreId)
{
    private const char Between = ' ';

    public int PartCount => (int)UploadRequest.PartsOf(SizeBytes);

    public static bool TryParse(string text, [NotNullWhen(true)] out UploadHandle? handle)
    {
        handle = null;
        if (!Base64Url.IsValid(text) || TextOf(text).Split(Between) is not [var kind, var size, var sum, var id])
        {
            return false;
        }

        if (
            Word.TryParse<UploadKind>(kind, out var known)
            && long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes)
            && IsSize(bytes)
            && IsSha256(sum)
        )
        {
            handle = new UploadHandle(known, bytes, sum, id);
        }

        return handle is not null;
    }

    public static bool IsSize(long bytes) => bytes is > 0 and <= (long)UploadRequest.PartBytes * UploadRequest.MostParts;

    public static bool IsSha256(string text) => text.Length == 64 && text.All(char.IsAsciiHexDigitLower);

    private static string TextOf(string id) => Encoding.UTF8.GetString(Base64Url.DecodeFromChars(id));

    public override string ToString() =>
        Base64Url.EncodeToString(
            Encoding.UTF8.GetBytes(
                string.Create(CultureInfo.InvariantCulture, $"{Word.Of(Kind)}{Between}{SizeBytes}{Between}{Sha256}{Between}{StoreId}")
            )
        );
}
