using System.CommandLine;
using RenderFarm.Cli.Farm;
using RenderFarm.Cli.Http;
using RenderFarm.Hosting.Folders;
using RenderFarm.Hosting.Tls;

namespace RenderFarm.Cli.Commands;

/// <summary>Which farm a verb speaks to, and whether it prints for people or for programs.</summary>
internal sealed class FarmConnection
{
    public const string UrlVariable = "RENDERFARM_URL";
    public const string KeyVariable = "RENDERFARM_API_KEY";
    public const string DefaultUrl = "http://127.0.0.1:8080";

    private readonly Option<string?> _url = new("--url")
    {
        Description =
            $"The farm's address (else {UrlVariable}, else that of ./farm login, else of the farm that was up here last, else "
            + $"{DefaultUrl})",
    };
    private readonly Option<string?> _key = new("--key")
    {
        Description = $"API key (else {KeyVariable}, else that of ./farm login, else the local farm's own)",
    };

    public void AddTo(Command command)
    {
        command.Add(_url);
        command.Add(_key);
    }

    public FarmClient Open(ParseResult parsed, TimeProvider time)
    {
        var named = parsed.GetValue(_url) ?? Environment.GetEnvironmentVariable(UrlVariable);
        var key = parsed.GetValue(_key) ?? Environment.GetEnvironmentVariable(KeyVariable);
        var saved = named is null || key is null ? SavedLogin.Read() : null;
        var here = FarmHere.Read(FarmHome.FromEnvironment());
        var url = RequireAddress(named ?? saved?.Url ?? here?.Url ?? DefaultUrl, "--url");
        // A saved key goes to the farm it was saved for, and to no other.
        return new FarmClient(
            url,
            key ?? (saved?.Url == url ? saved.Key : null) ?? KeysFile.Read(FarmHome.FromEnvironment().Keys).AdminKey,
            time,
            here is { Certificate: { } known } && here.Url == url
                ? new SocketsHttpHandler { SslOptions = PinnedCertificate.ByFile(known) }
                : null
        );
    }

    /// <returns>The address without its last slash.</returns>
    public static string RequireAddress(string url, string option) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            ? url.TrimEnd('/')
            : throw new FarmException("invalid_option", $"{option}: '{url}' is not an http address");
}
