using System.Security.Cryptography;
using System.Text;
using Microsoft.Net.Http.Headers;

namespace RenderFarm.Api.Keys;

/// <summary>
/// What a browser that is signed in keeps: the word of its session. Where a request could change something, it shows besides a word
/// that only the farm's own page has (<see cref="CsrfHeader"/>), and that it comes from there.
/// </summary>
internal static class PageCookie
{
    public const string CsrfHeader = "x-renderfarm-csrf";
    private const string SiteHeader = "Sec-Fetch-Site";
    private const string FromHere = "same-origin";
    private const int CsrfBytes = 16;

    /// <summary>Browsers send cookies to every port of a host: two farms on one machine are two names.</summary>
    private static string NameAt(HttpRequest request) => $"renderfarm-{request.Host.Port ?? (request.IsHttps ? 443 : 80)}";

    public static string? Of(HttpRequest request) => request.Cookies[NameAt(request)] is { Length: > 0 } secret ? secret : null;

    public static void Give(HttpContext context, string secret, DateTimeOffset expiresAt) =>
        context.Response.Cookies.Append(NameAt(context.Request), secret, Options(context.Request, expiresAt));

    public static void Take(HttpContext context) =>
        context.Response.Cookies.Delete(NameAt(context.Request), Options(context.Request, null));

    /// <summary>Another spelling each time it is shown, so that a compressed page gives nothing of it away by its length.</summary>
    public static string CsrfOf(string secret)
    {
        var mask = RandomNumberGenerator.GetBytes(CsrfBytes);
        return Convert.ToHexStringLower([.. mask, .. Masked(secret, mask)]);
    }

    /// <summary>The request was made by the farm's own page.</summary>
    public static bool IsOfThePage(HttpRequest request, string secret) => ComesFromHere(request) && ShowsWord(request, secret);

    /// <summary>Browsers say so, but not over plain HTTP, where only the origin is told.</summary>
    public static bool ComesFromHere(HttpRequest request) =>
        request.Headers[SiteHeader].ToString() is { Length: > 0 } site
            ? site == FromHere
            : Uri.TryCreate(request.Headers[HeaderNames.Origin], UriKind.Absolute, out var origin)
                && string.Equals(
                    new HostString(origin.Authority).ToUriComponent(),
                    request.Host.ToUriComponent(),
                    StringComparison.OrdinalIgnoreCase
                );

    private static bool ShowsWord(HttpRequest request, string secret)
    {
        var shown = request.Headers[CsrfHeader].ToString();
        if (shown.Length != 4 * CsrfBytes || !shown.All(char.IsAsciiHexDigit))
        {
            return false;
        }

        var bytes = Convert.FromHexString(shown);
        return CryptographicOperations.FixedTimeEquals(bytes.AsSpan(CsrfBytes), Masked(secret, bytes.AsSpan(0, CsrfBytes)));
    }

    private static byte[] Masked(string secret, ReadOnlySpan<byte> mask)
    {
        var word = HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), "csrf"u8)[..CsrfBytes];
        for (var i = 0; i < word.Length; i++)
        {
            word[i] ^= mask[i];
        }

        return word;
    }

    private static CookieOptions Options(HttpRequest request, DateTimeOffset? expiresAt) =>
        new()
        {
            Path = "/",
            HttpOnly = true,
            SameSite = Microsoft.AspNetCore.Http.SameSiteMode.Lax,
            Secure = request.IsHttps,
            Expires = expiresAt,
        };
}
