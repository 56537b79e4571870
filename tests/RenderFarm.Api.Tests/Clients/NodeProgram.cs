using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace RenderFarm.Api.Tests.Clients;

/// <summary>Programs under <c>node/</c>, with the packages that <c>./farm test</c> has installed.</summary>
internal static class NodeProgram
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    /// <summary>Skips the test where there is no Node or no package.</summary>
    /// <returns>The JSON of the program's last line.</returns>
    public static async Task<JsonNode> RunAsync(string name, params string[] arguments)
    {
        var packages = Environment.GetEnvironmentVariable("RENDERFARM_TEST_NODE");
        Assert.SkipWhen(string.IsNullOrEmpty(packages), "no Node packages (RENDERFARM_TEST_NODE): run ./farm test where npm is installed");
        using var limit = new CancellationTokenSource(Patience);
        using var node = Process.Start(
            new ProcessStartInfo("node", [Path.Combine(Folder(), name), .. arguments])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment = { ["NODE_PATH"] = packages },
            }
        )!;
        try
        {
            var (output, errors) = (node.StandardOutput.ReadToEndAsync(limit.Token), node.StandardError.ReadToEndAsync(limit.Token));
            await node.WaitForExitAsync(limit.Token);
            Assert.True(node.ExitCode == 0, $"{name} ended with {node.ExitCode}: {await errors}");
            return JsonNode.Parse((await output).TrimEnd().Split('\n')[^1])!;
        }
        finally
        {
            if (!node.HasExited)
            {
                node.Kill(entireProcessTree: true);
            }
        }
    }

    private static string Folder([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "node");
}
