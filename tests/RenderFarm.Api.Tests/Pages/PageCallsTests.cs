using System.IO.Enumeration;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using RenderFarm.Testing.Farms;

namespace RenderFarm.Api.Tests.Pages;

/// <summary>The page asks what everybody may ask: every operation that its sources name is one.</summary>
public sealed partial class PageCallsTests(FarmFixture fixture) : IClassFixture<FarmFixture>
{
    [Fact]
    public void Operations_ThatThePageAsks_AreMapped()
    {
        var routes = fixture
            .Farm.Services.GetServices<EndpointDataSource>()
            .SelectMany(source => source.Endpoints)
            .OfType<RouteEndpoint>()
            .Select(endpoint => (endpoint.RoutePattern.RawText ?? "").Trim('/').Split('/'))
            .ToList();
        var asked = Directory
            .EnumerateFiles(Path.Combine(BuiltPrograms.Root, "services", "RenderFarm.Dashboard"), "*", SearchOption.AllDirectories)
            .Where(file => Path.GetExtension(file) is ".cs" or ".razor" or ".js" && !Built().IsMatch(file))
            .SelectMany(file => Paths().Matches(Filled().Replace(File.ReadAllText(file), "*")))
            .Select(path => path.Value.TrimEnd('.'))
            .Distinct()
            .ToList();

        Assert.Contains("/v1/settings", asked);
        Assert.DoesNotContain(asked, path => !routes.Exists(route => Leads(path.Trim('/').Split('/'), route)));
    }

    [Theory]
    [InlineData("/v1/keys/*/rotate", "v1/keys/{id}/rotate", true)]
    [InlineData("/v1/queue/*", "v1/queue/pause", true)]
    [InlineData("/v1/videos/*/content*", "v1/videos/{id}/content", true)]
    [InlineData("/v1/settings", "v1/setting", false)]
    [InlineData("/v1/keys/*/rotate", "v1/keys/{id}", false)]
    public void Leads_APathToARoute_SegmentBySegment(string path, string route, bool leads) =>
        Assert.Equal(leads, Leads(path.Trim('/').Split('/'), route.Split('/')));

    private static bool Leads(string[] path, string[] route) =>
        path.Length == route.Length
        && path.Zip(route).All(one => one.Second.StartsWith('{') || FileSystemName.MatchesSimpleExpression(one.First, one.Second));

    /// <summary>What is put in when the path is made, in C# or in a script; a block of code is none, nor what holds a text.</summary>
    [GeneratedRegex("""\$?\{[^{}"\n]*\}""")]
    private static partial Regex Filled();

    [GeneratedRegex("""/v1(/[\w.*-]+)+""")]
    private static partial Regex Paths();

    [GeneratedRegex("""[\\/](bin|obj)[\\/]""")]
    private static partial Regex Built();
}
