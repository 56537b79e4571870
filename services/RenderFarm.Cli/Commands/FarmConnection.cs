using System.CommandLine;
using RenderFarm.Cli.Farm;
using RenderFarm.Cli.Http;

namespace RenderFarm.Cli.Commands;

/// <summary>Which farm a verb speaks to.</summary>
public sealed class FarmConnection
{
    public const string UrlVariable = "RENDERFARM_URL";
    public const string KeyVariable = "RENDERFARM_API_KEY";
    private const string DefaultUrl = "http://127.0.0.1:8080";

    private readonly Option<string?> _url = new("--url") { Description = $"The farm's address (else {UrlVariable}, else {DefaultUrl})" };
    private readonly Option<string?> _key = new("--key") { Description = $"API key (else {KeyVariable}, else the local farm's own)" };

    public void AddTo(Command command)
    {
        command.Add(_url);
        command.Add(_key);
    }

    public FarmClient Open(ParseResult parsed, TimeProvider time)
    {
        var url = parsed.GetValue(_url) ?? Environment.GetEnvironmentVariable(UrlVariable) ?? DefaultUrl;
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            throw new FarmException("invalid_option", $"--url: '{url}' is not an http address");
        var key = parsed.GetValue(_key) ?? Environment.GetEnvironmentVariable(KeyVariable) ?? KeysFile.Read(FarmHome.FromEnvironment().Keys).AdminKey;
        return new FarmClient(url, key, time);
    }
}
