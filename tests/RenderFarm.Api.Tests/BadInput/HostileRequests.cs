using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using RenderFarm.Api.Tests.Inputs;

namespace RenderFarm.Api.Tests.BadInput;

/// <summary>Requests that somebody might send who means no good, or has a broken client: the same seed makes the same ones.</summary>
internal sealed class HostileRequests(int seed)
{
    private static readonly string[] Fields =
    [
        "prompt", "model", "seconds", "size", "input_reference", "last_frame", "negative_prompt", "seed", "steps",
        "guidance_scale", "shift", "sampler", "frames", "fps", "preset", "step_cache", "loras", "priority",
        "webhook_url", "metadata", "expires_after", "quality", "plan", "debug", "max_attempts",
    ];

    internal static readonly string[] Texts =
    [
        "", " ", "a", "\0", "\r\nX-Evil: 1", "../../etc/passwd", "..\\..\\x", "%2e%2e%2f", "'; DROP TABLE jobs; --",
        "${jndi:ldap://x}", "{{7*7}}", "<script>", "\ud83d\ude00", "\u202e\u0000", "\ufeff", "Ṱ̺̺̕o͞", "NaN",
        "Infinity", "-0", "1e309", "0x10", "1e-400", "9223372036854775808", "-1", "true", "null", "[]", "{}", "{\"a\":",
        "[[[[[[[[", "16x16", "0x0", "99999x99999", "64x48x2", "64X48", "http://127.0.0.1", "http://[::1]",
        "data:;base64,", "data:image/png;base64,AAAA", "http://", "file:///etc/passwd",
        "video_00000000000000000000000000000000", "demo", "tiny", "unipc", "fp8",
    ];

    private readonly Random _random = new(seed);

    /// <summary>A tree that begins as a good request and has been spoilt in up to four places.</summary>
    private static readonly string[] QueryNames = ["limit", "after", "order", "variant", "limit[]", "", "Limit", "x"];

    private static readonly string[] QueryValues =
    [
        "0", "100", "101", "-1", "%00", "%ff%fe", "%", "asc", "DESC", "thumbnail", "../x", "1e3",
        new string('9', 400),
        "video_",
    ];

    public JsonObject Tree()
    {
        var tree = JsonNode
            .Parse(
                """
                {"prompt":"a ball","model":"tiny","size":"64x48","frames":5,"steps":2,"seed":1,"metadata":{"a":"b"},
                 "plan":{"precision":"fp32"},"loras":[{"name":"a"}]}
                """
            )!
            .AsObject();
        for (var i = _random.Next(5); i > 0; i--)
        {
            switch (_random.Next(5))
            {
                case 0:
                    tree.Remove(Pick(Fields));
                    break;
                case 1:
                    tree[Pick(Texts) + _random.Next(9).ToString(CultureInfo.InvariantCulture)] = Value(0);
                    break;
                default:
                    tree[Pick(Fields)] = Value(0);
                    break;
            }
        }

        return tree;
    }

    public HttpRequestMessage Submission()
    {
        HttpContent content = _random.Next(3) switch
        {
            0 => Bytes(
                Encoding.UTF8.GetBytes(Tree().ToJsonString()),
                Pick(["application/json", "application/json; charset=utf-16", "application/problem+json", "text/json", ""])
            ),
            1 => Form(),
            _ => Bytes(Spoilt(Encoding.UTF8.GetBytes(Tree().ToJsonString())), "application/json"),
        };
        var path = Pick(["/v1/videos", "/v1/videos", "/v1/videos", "/v1/plans", "/v1/keys", "/v1/videos/video_0/remix"]);
        return Odd(new HttpRequestMessage(HttpMethod.Post, path) { Content = content });
    }

    public HttpRequestMessage Question()
    {
        var id = Uri.EscapeDataString(Pick(Texts) is { Length: > 0 } text && !text.Any(char.IsSurrogate) ? text : "x");
        var path = Pick([
            "/v1/videos",
            $"/v1/videos/{id}",
            $"/v1/videos/{id}/content",
            $"/v1/videos/{id}/attempts",
            $"/v1/videos/{id}/cancel",
            $"/v1/videos/{id}/retry",
            $"/v1/models/{id}",
            $"/v1/workers/{id}/drain",
            $"/v1/keys/{id}",
            $"/{id}",
            $"/v1/videos/../{id}",
            "/v1/videos/video_00000000000000000000000000000000/events",
        ]);
        var query = string.Join('&', Enumerable.Range(0, _random.Next(4)).Select(_ => $"{Pick(QueryNames)}={Pick(QueryValues)}"));
        var address = new Uri(
            $"http://farm{path}{(query.Length > 0 ? "?" + query : "")}",
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }
        );
        return Odd(
            new HttpRequestMessage(
                Pick([
                    HttpMethod.Get,
                    HttpMethod.Get,
                    HttpMethod.Post,
                    HttpMethod.Delete,
                    HttpMethod.Head,
                    HttpMethod.Put,
                    HttpMethod.Patch,
                ]),
                address
            )
        );
    }

    /// <summary>Written byte by byte: the framework's own classes are too well behaved.</summary>
    private ByteArrayContent Form()
    {
        using var body = new MemoryStream();
        for (var i = _random.Next(6); i >= 0; i--)
        {
            var name = Pick([
                "prompt", "model", "metadata[a]", "loras[][name]", "loras[0][name]", "plan[precision]",
                "input_reference[image_url]", "input_reference", "last_frame", "a[", "a]b", "[]", "[x]",
                "a[][][][][][][][][]", "\"x\"", "", "\"\"",
            ]);
            var file =
                _random.Next(3) == 0
                    ? Pick([
                        "; filename=a.png", "; filename=\"../../evil\\\".png\"", "; filename=",
                        "; filename*=UTF-8''%e2%82%ac.png", "; filename*=x", "; filename=\"a\rX-Evil: 1\"",
                    ])
                    : "";
            var header = Pick([
                "Content-Disposition: form-data; name=", "Content-Disposition: form-data; name=",
                "Content-Disposition: form-data; name=", "Content-Disposition: attachment; name=",
                "content-disposition:form-data;name=", "X: ",
            ]);
            body.Write(
                Encoding.UTF8.GetBytes(
                    $"--b\r\n{header}{name}{file}\r\n"
                        + $"{Pick(["", "", "Content-Type: image/png\r\n", "Content-Type: \r\n", "broken\r\n"])}\r\n"
                )
            );
            body.Write(
                file.Length > 0 || _random.Next(4) == 0
                    ? Spoilt(Pick([SamplePictures.Jpeg, SamplePictures.WebP, SamplePictures.Gif, SamplePictures.Png(), SamplePictures.Bmp]))
                    : Encoding.UTF8.GetBytes(Pick(Texts))
            );
            body.Write("\r\n"u8);
        }

        body.Write("--b--\r\n"u8);
        var bytes = body.ToArray();
        return Bytes(
            _random.Next(3) == 0 ? Spoilt(bytes) : bytes,
            Pick([
                "multipart/form-data; boundary=b", "multipart/form-data; boundary=\"b\"",
                "multipart/form-data; boundary=c", "multipart/form-data", "multipart/mixed; boundary=b",
            ])
        );
    }

    private HttpRequestMessage Odd(HttpRequestMessage request)
    {
        foreach (
            var name in (string[])
                [
                    "Idempotency-Key", "X-Stainless-Retry-Count", "Range", "If-None-Match", "If-Range", "Accept",
                    "Last-Event-ID", "traceparent", "Content-Encoding",
                ]
        )
        {
            if (_random.Next(8) == 0)
            {
                request.Headers.TryAddWithoutValidation(
                    name,
                    Pick([
                        "", "1", "-1", "bytes=0-", "bytes=5-1", "bytes=a-b", "\"", "*", "W/\"x\"",
                        "application/xml;q=2",
                        new string('a', 300),
                        "ÿ",
                        "gzip",
                        "99999999999999999999",
                    ])
                );
            }
        }

        return request;
    }

    private JsonNode? Value(int depth) =>
        _random.Next(depth > 3 ? 5 : 8) switch
        {
            0 => null,
            1 => JsonValue.Create(Pick([0, -1, 1, 5, 1e300, -1e-300, 2147483648d, 0.1, 4.5])),
            2 => JsonValue.Create(Pick([long.MaxValue, long.MinValue, 257, 101, 17])),
            3 => JsonValue.Create(_random.Next(2) == 0),
            4 => JsonValue.Create(_random.Next(20) == 0 ? new string(Pick(['a', 'é', '字']), _random.Next(40_000)) : Pick(Texts)),
            5 => new JsonArray([.. Enumerable.Range(0, _random.Next(5)).Select(_ => Value(depth + 1))]),
            6 => new JsonObject(
                Enumerable
                    .Range(0, _random.Next(4))
                    .Select(i => KeyValuePair.Create(Pick(Texts) + i.ToString(CultureInfo.InvariantCulture), Value(depth + 1)))
            ),
            _ => new JsonObject
            {
                [Pick(["name", "strength", "image_url", "precision", "blocks_streamed", "cuda_launch_blocking"])] = Value(depth + 1),
            },
        };

    private byte[] Spoilt(byte[] bytes)
    {
        for (var i = _random.Next(4); i >= 0 && bytes.Length > 0; i--)
        {
            bytes = _random.Next(3) switch
            {
                0 => bytes[.._random.Next(bytes.Length)],
                1 => [.. bytes, .. bytes.AsSpan(_random.Next(bytes.Length))],
                _ => Changed(bytes),
            };
        }

        return bytes;
    }

    private byte[] Changed(byte[] bytes)
    {
        bytes = (byte[])bytes.Clone();
        bytes[_random.Next(bytes.Length)] = (byte)_random.Next(256);
        return bytes;
    }

    private static ByteArrayContent Bytes(byte[] bytes, string type)
    {
        var content = new ByteArrayContent(bytes);
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        return content;
    }

    private T Pick<T>(IReadOnlyList<T> from) => from[_random.Next(from.Count)];
}
