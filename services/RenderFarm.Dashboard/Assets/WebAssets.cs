using System.Collections.Frozen;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace RenderFarm.Dashboard.Assets;

/// <summary>
/// Styles, scripts and pictures of the page, from the assembly. Each has the digest of its content in its address, so that browsers keep
/// it for ever and never mix two versions; a script's imports are addressed so too. Packed once, when the first page is drawn.
/// </summary>
public sealed class WebAssets
{
    private const string Prefix = "Web/";
    public const string Root = "/assets/";
    private readonly FrozenDictionary<string, Asset> _byName;
    private readonly FrozenDictionary<string, Asset> _byAddress;

    public WebAssets()
    {
        var assembly = typeof(WebAssets).Assembly;
        var contents = assembly
            .GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .ToDictionary(name => name[Prefix.Length..], name => Read(assembly.GetManifestResourceStream(name)!));
        var made = new Dictionary<string, Asset>();
        foreach (var name in contents.Keys)
        {
            Make(name, contents, made);
        }

        _byName = made.ToFrozenDictionary();
        _byAddress = made.Values.ToFrozenDictionary(asset => asset.Address);
    }

    /// <summary>Its address, for a page.</summary>
    public string this[string name] => Root + _byName[name].Address;

    public IResult Serve(string address, HttpContext context)
    {
        if (!_byAddress.TryGetValue(address, out var asset))
        {
            return Results.NotFound();
        }

        var headers = context.Response.Headers;
        headers.CacheControl = "public, max-age=31536000, immutable";
        headers.Vary = "Accept-Encoding";
        var packed = context.Request.Headers.AcceptEncoding.ToString().Contains("br", StringComparison.Ordinal);
        if (packed)
        {
            headers.ContentEncoding = "br";
        }

        return Results.Bytes(packed ? asset.Packed : asset.Plain, asset.ContentType);
    }

    /// <summary>What a script imports is made before it, for its address stands in it.</summary>
    private static Asset Make(string name, Dictionary<string, byte[]> contents, Dictionary<string, Asset> made)
    {
        if (made.TryGetValue(name, out var before))
        {
            return before;
        }

        var plain = contents[name];
        if (name.EndsWith(".js", StringComparison.Ordinal))
        {
            var text = Encoding.UTF8.GetString(plain);
            foreach (var other in contents.Keys.Where(other => text.Contains($"\"./{other}\"", StringComparison.Ordinal)))
            {
                text = text.Replace($"\"./{other}\"", $"\"./{Make(other, contents, made).Address}\"", StringComparison.Ordinal);
            }

            plain = Encoding.UTF8.GetBytes(text);
        }

        var digest = Convert.ToHexStringLower(SHA256.HashData(plain))[..10];
        var address = $"{Path.GetFileNameWithoutExtension(name)}.{digest}{Path.GetExtension(name)}";
        return made[name] = new Asset(address, TypeOf(name), plain, Pack(plain));
    }

    private static byte[] Read(Stream stream)
    {
        using (stream)
        {
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return bytes;
        }
    }

    private static byte[] Pack(byte[] plain)
    {
        using var packed = new MemoryStream();
        using (var brotli = new BrotliStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            brotli.Write(plain);
        }

        return packed.ToArray();
    }

    private static string TypeOf(string name) =>
        Path.GetExtension(name) switch
        {
            ".css" => "text/css; charset=utf-8",
            ".js" => "text/javascript; charset=utf-8",
            ".svg" => "image/svg+xml",
            ".webmanifest" => "application/manifest+json",
            var other => throw new InvalidOperationException($"{name}: say here what a file that ends in {other} is"),
        };

    private sealed record Asset(string Address, string ContentType, byte[] Plain, byte[] Packed);
}
