using RenderFarm.Api.Tests.Clients;
using RenderFarm.Testing;

namespace RenderFarm.Api.Tests.Description;

/// <summary>The document against the rules that a public linter recommends: what client generators and readers of any API expect.</summary>
public sealed class OpenApiLintTests(FarmFixture fixture) : IClassFixture<FarmFixture>
{
    [Fact]
    public async Task OpenApi_RecommendedRules_FindNothing()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("openapi.json"), await fixture.Farm.ClientWith(null).GetStringAsync("/openapi/v1.json"));

        var said = await NodeProgram.RunAsync("lint.cjs", folder.File("openapi.json"));

        Assert.Empty(said["problems"]!.AsArray().Select(problem => $"{problem!["severity"]} {problem["rule"]} at {problem["where"]}: {problem["message"]}"));
    }

    [Fact]
    public async Task OpenApi_Server_IsWhereTheClientAskedFrom()
    {
        var document = await (await fixture.Farm.ClientWith(null).GetAsync("/openapi/v1.json")).JsonAsync();

        Assert.Equal(fixture.Farm.Address.ToString().TrimEnd('/'), (string)Assert.Single(document["servers"]!.AsArray())!["url"]!);
    }
}
