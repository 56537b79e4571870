using System.Globalization;
using RenderFarm.Api.Errors;
using RenderFarm.Contracts.Leases;

namespace RenderFarm.Api.Workers;

/// <summary>A part's bytes are its body, so what every report says of its lease is in headers; they stand in the part's link.</summary>
internal sealed record PartReport : LeaseReport
{
    private const string FenceHeader = "x-renderfarm-fence";
    private const string TokenHeader = "x-renderfarm-token";
    private const string Md5Header = "Content-MD5";

    /// <summary>In base64.</summary>
    public required string Md5 { get; init; }

    public static Dictionary<string, string> Headers(LeaseId lease, string md5) =>
        new()
        {
            [Md5Header] = md5,
            [FenceHeader] = lease.Fence.ToString(CultureInfo.InvariantCulture),
            [TokenHeader] = lease.Token.Secret,
        };

    public static ValueTask<PartReport> BindAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var headers = context.Request.Headers;
        if (!long.TryParse(headers[FenceHeader], NumberStyles.None, CultureInfo.InvariantCulture, out var fence))
        {
            throw Missing(FenceHeader);
        }

        return ValueTask.FromResult(
            new PartReport
            {
                Fence = fence,
                Token = LeaseToken.TryParse(headers[TokenHeader], out var token) ? token : throw Missing(TokenHeader),
                Md5 = headers[Md5Header] is [{ } md5] && PartChecksum.IsMd5(md5) ? md5 : throw Missing(Md5Header),
            }
        );
    }

    private static ApiErrorException Missing(string header) =>
        ApiError.InvalidValue(header, $"The header '{header}' must be sent as the part's link has it.").AsException();
}
