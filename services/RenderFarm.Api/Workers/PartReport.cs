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

    /// <summary>Null where a header is missing, or can't be right: whose the job is, is asked before what is wrong with the call.</summary>
    public static ValueTask<PartReport?> BindAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var headers = context.Request.Headers;
        return ValueTask.FromResult(
            long.TryParse(headers[FenceHeader], NumberStyles.None, CultureInfo.InvariantCulture, out var fence)
            && LeaseToken.TryParse(headers[TokenHeader], out var token)
            && headers[Md5Header] is [{ } md5]
            && PartChecksum.IsMd5(md5)
                ? new PartReport
                {
                    Fence = fence,
                    Token = token,
                    Md5 = md5,
                }
                : null
        );
    }

    public static ApiErrorException Missing() =>
        ApiError
            .InvalidValue(Md5Header, $"'{FenceHeader}', '{TokenHeader}' and '{Md5Header}' must be sent as the part's link has them.")
            .AsException();
}
