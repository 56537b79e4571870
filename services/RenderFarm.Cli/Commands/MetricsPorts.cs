using System.CommandLine;
using RenderFarm.Cli.Farm;
using RenderFarm.Cli.Showing;
using RenderFarm.Verbs.Parsing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary>Where the figures of a program on this machine are, the same at every start, so that somebody can scrape them.</summary>
internal static class MetricsPorts
{
    public const int Api = 9464;
    public const int Worker = 9465;

    public static Option<int?> OfApi(string name) =>
        OptionKinds.OptionalWhole(name, $"With --farm: port of the API's figures (else {Api})", 1, 65535);

    public static Option<int?> OfWorker(string name) =>
        OptionKinds.OptionalWhole(name, $"Port of the worker's figures (else {Worker})", 1, 65535);

    /// <summary>One that was asked for is never another.</summary>
    public static int Choose(string option, int? asked, int otherwise, IAnsiConsole console)
    {
        var port = asked ?? otherwise;
        if (LocalPorts.IsFree(port))
        {
            return port;
        }

        if (asked is not null)
        {
            throw new FarmException("port_in_use", $"{option}: something already listens on 127.0.0.1:{port}");
        }

        var free = LocalPorts.Free();
        console.Say($"Port {port} is in use: figures are at port {free}. {option} chooses another.");
        return free;
    }
}
