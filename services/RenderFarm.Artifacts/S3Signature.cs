using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace RenderFarm.Artifacts;

/// <summary>
/// Links to an S3 server that carry their own permission: AWS Signature Version 4 in the query, payload unsigned. What is signed is
/// exactly one request: method, address, query, host and the headers given. It is arithmetic; no request is made.
/// </summary>
internal sealed class S3Signature(string accessKey, string secretKey, string region)
{
    private const string Algorithm = "AWS4-HMAC-SHA256";

    /// <param name="address">Without a query; its path is signed as it is written.</param>
    /// <param name="headers">That whoever follows the link has to send as they are.</param>
    public Uri Presign(
        HttpMethod method,
        Uri address,
        IEnumerable<KeyValuePair<string, string>> query,
        IReadOnlyDictionary<string, string> headers,
        DateTimeOffset now,
        TimeSpan lifetime
    )
    {
        var moment = now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var scope = $"{moment[..8]}/{region}/s3/aws4_request";
        (string Name, string Value)[] signed =
        [
            .. headers
                .Append(new("host", address.Authority))
                .Select(header => (header.Key.ToLowerInvariant(), header.Value.Trim()))
                .OrderBy(header => header.Item1, StringComparer.Ordinal),
        ];
        var names = string.Join(';', signed.Select(header => header.Name));
        var parameters = Query(
            query.Concat(
                [
                    new("X-Amz-Algorithm", Algorithm),
                    new("X-Amz-Credential", $"{accessKey}/{scope}"),
                    new("X-Amz-Date", moment),
                    new("X-Amz-Expires", ((long)lifetime.TotalSeconds).ToString(CultureInfo.InvariantCulture)),
                    new("X-Amz-SignedHeaders", names),
                ]
            )
        );
        var request = string.Join(
            '\n',
            [method.Method, address.AbsolutePath, parameters, .. signed.Select(header => $"{header.Name}:{header.Value}"), "", names]
        );
        var toSign = $"{Algorithm}\n{moment}\n{scope}\n{Hex(SHA256.HashData(Encoding.UTF8.GetBytes(request + "\nUNSIGNED-PAYLOAD")))}";
        var key = new[] { moment[..8], region, "s3", "aws4_request" }.Aggregate(Encoding.UTF8.GetBytes("AWS4" + secretKey), Authenticate);
        return new Uri($"{address.GetLeftPart(UriPartial.Path)}?{parameters}&X-Amz-Signature={Hex(Authenticate(key, toSign))}");
    }

    /// <summary>Names in the order of their bytes, everything escaped but letters, digits and <c>-._~</c>.</summary>
    private static string Query(IEnumerable<KeyValuePair<string, string>> parameters) =>
        string.Join(
            '&',
            parameters
                .Select(one => (Name: Uri.EscapeDataString(one.Key), Value: Uri.EscapeDataString(one.Value)))
                .OrderBy(one => one.Name, StringComparer.Ordinal)
                .Select(one => $"{one.Name}={one.Value}")
        );

    private static byte[] Authenticate(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
