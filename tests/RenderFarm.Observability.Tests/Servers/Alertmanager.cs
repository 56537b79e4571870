using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using RenderFarm.Testing;
using RenderFarm.Testing.Farms;

namespace RenderFarm.Observability.Tests.Servers;

/// <summary>Alertmanager with the shipped routes and inhibitions, without their patience, and receivers of the test's own.</summary>
internal sealed partial class Alertmanager : IAsyncDisposable
{
    private readonly TemporaryFolder _folder;
    private readonly FarmProcess _process;

    private Alertmanager(TemporaryFolder folder, FarmProcess process, Uri address) =>
        (_folder, _process, Address) = (folder, process, address);

    public Uri Address { get; }

    public static string Configuration => Path.Combine(BuiltPrograms.Root, "deploy", "alertmanager", "alertmanager.yml");

    /// <param name="receiver">What goes to a receiver is posted below it, under the receiver's name.</param>
    public static async Task<Alertmanager> StartAsync(Uri receiver)
    {
        var program = Program.Find("prometheus-alertmanager");
        var shipped = await File.ReadAllTextAsync(Configuration, TestContext.Current.CancellationToken);
        var receivers = new[] { "page", "ticket" }.Select(name =>
        {
            Assert.Contains($"  - name: {name}\n", shipped, StringComparison.Ordinal);
            return $"  - name: {name}\n    webhook_configs: [{{ url: '{new Uri(receiver, name)}' }}]\n";
        });
        var routes = GroupWait().Replace(shipped[..shipped.IndexOf("receivers:\n", StringComparison.Ordinal)], "group_wait: 1s");
        var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(
            folder.File("alertmanager.yml"),
            $"{routes}receivers:\n{string.Concat(receivers)}",
            TestContext.Current.CancellationToken
        );
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var address = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}");
        free.Stop();
        var process = FarmProcess.Start(
            "alertmanager",
            program,
            [
                $"--config.file={folder.File("alertmanager.yml")}",
                $"--storage.path={folder.File("data")}",
                $"--web.listen-address={address}",
                "--cluster.listen-address=",
            ],
            new Dictionary<string, string>(),
            folder.File("alertmanager.log")
        );
        return new Alertmanager(folder, process, new Uri($"http://{address}"));
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _folder.Dispose();
    }

    [GeneratedRegex(@"group_wait: \w+")]
    private static partial Regex GroupWait();
}
