using System.Text.RegularExpressions;
using RenderFarm.Observability.Tests.Servers;
using RenderFarm.Observability.Tests.Shipped;
using RenderFarm.Testing.Farms;

namespace RenderFarm.Observability.Tests.Boards;

public sealed partial class BoardTests
{
    private static string Provisioning => Path.Combine(BuiltPrograms.Root, "deploy", "grafana", "provisioning");

    [Fact]
    public void Boards_UidsAndTitles_AreTheirOwn()
    {
        var boards = Board.All();
        Assert.Equal(boards.Count, boards.Select(board => board.Uid).Distinct().Count());
        Assert.Equal(boards.Count, boards.Select(board => (string)board.Json["title"]!).Distinct().Count());
        Assert.All(
            boards,
            board => Assert.Equal(board.Panels.Count(), board.Panels.Select(panel => (int)panel["id"]!).Distinct().Count())
        );
    }

    [Fact]
    public void Boards_VariablesUsed_AreDefined() =>
        Assert.All(
            Board.All(),
            board => Assert.Empty(board.VariablesUsed().Except(board.Variables.Select(variable => (string)variable["name"]!)))
        );

    [Fact]
    public void Boards_LinksToBoards_LeadToOneThatIsThere()
    {
        var boards = Board.All();
        var linked = boards
            .SelectMany(board => Link().Matches(board.Json.ToJsonString()))
            .Select(match => match.Groups[1].Value)
            .Distinct()
            .ToList();

        Assert.NotEmpty(linked);
        Assert.All(linked, uid => Assert.Contains(boards, board => board.Uid == uid));
        // And each is found from each other by the tag that the list of links asks for.
        Assert.All(boards, board => Assert.Contains("renderfarm", board.Json["tags"]!.AsArray().Select(tag => (string)tag!)));
    }

    [Fact]
    public void Boards_Datasources_AreProvisioned()
    {
        var provisioned = Directory
            .GetFiles(Path.Combine(Provisioning, "datasources"))
            .SelectMany(file => Rule.Children(Rule.Load(file)["datasources"]))
            .Select(source => (Rule.Text(source, "type"), Rule.Text(source, "uid")))
            .ToHashSet();
        var asked =
            from board in Board.All()
            from panel in board.Panels
            from source in (panel["targets"]?.AsArray() ?? []).Select(target => target!["datasource"]).Append(panel["datasource"])
            where source is not null
            select ((string?)source["type"], (string?)source["uid"]);

        Assert.All(asked.Distinct(), source => Assert.Contains(source, provisioned));
    }

    /// <summary>Panels side by side and one below the other, none upon another: Grafana would push them about.</summary>
    [Fact]
    public void Boards_Panels_DoNotOverlap()
    {
        foreach (var board in Board.All())
        {
            var taken = new Dictionary<(int X, int Y), string>();
            foreach (var panel in board.Panels)
            {
                var place = panel["gridPos"]!;
                var (x, y, w, h) = ((int)place["x"]!, (int)place["y"]!, (int)place["w"]!, (int)place["h"]!);
                Assert.InRange(x + w, 1, 24);
                for (var i = 0; i < w * h; i++)
                {
                    var cell = (x + (i % w), y + (i / w));
                    var free = taken.TryAdd(cell, (string)panel["title"]!);
                    Assert.True(free, $"{board.Uid}: {panel["title"]} lies on {taken[cell]}");
                }
            }
        }
    }

    /// <summary>
    /// The types that Grafana publishes with each version (<c>@grafana/schema</c>), as JSON schemas: the board, and each panel's options
    /// and field options by its kind. A name that Grafana does not know is a fault.
    /// </summary>
    [Fact]
    public async Task Boards_GrafanasSchema_HoldsForEach() => await CheckAsync(Board.Files);

    /// <summary>The check itself finds what is wrong: a field that is none, an unknown word, an option of another kind of panel.</summary>
    [Fact]
    public async Task Boards_SpoiltOnes_AreFound()
    {
        using var folder = new Testing.TemporaryFolder();
        var farm = Board.Files.Single(file => file.EndsWith("/farm.json", StringComparison.Ordinal));
        var text = await File.ReadAllTextAsync(farm, TestContext.Current.CancellationToken);
        (string Right, string Wrong)[] faults =
        [
            ("\"schemaVersion\"", "\"schemaVersoin\""),
            ("\"drawStyle\": \"line\"", "\"drawStyle\": \"lines\""),
            ("\"wideLayout\"", "\"cellHeight\""),
        ];
        foreach (var (i, (right, wrong)) in faults.Index())
        {
            Assert.Contains(right, text, StringComparison.Ordinal);
            await File.WriteAllTextAsync(folder.File($"{i}.json"), Once(text, right, wrong), TestContext.Current.CancellationToken);
        }

        var (code, said) = await NodeAsync(faults.Index().Select(fault => folder.File($"{fault.Index}.json")));

        Assert.Equal(1, code);
        Assert.All(faults.Index(), fault => Assert.Matches($@"(?m)^{fault.Index}\.json.*must ", said));
    }

    private static async Task CheckAsync(IReadOnlyList<string> files)
    {
        var (code, said) = await NodeAsync(files);
        Assert.True(code == 0, said);
        Assert.All(files, file => Assert.Contains($"{Path.GetFileName(file)}: ", said, StringComparison.Ordinal));
    }

    private static async Task<(int Code, string Said)> NodeAsync(IEnumerable<string> files)
    {
        var packages = Environment.GetEnvironmentVariable("RENDERFARM_TEST_NODE");
        Assert.SkipWhen(string.IsNullOrEmpty(packages), "no Node packages (RENDERFARM_TEST_NODE): run ./farm test where npm is installed");
        var program = Path.Combine(BuiltPrograms.Root, "tests", "RenderFarm.Observability.Tests", "Boards", "grafana-schema.cjs");
        return await Program.TryAsync("node", [program, .. files], new Dictionary<string, string> { ["NODE_PATH"] = packages! });
    }

    private static string Once(string text, string right, string wrong)
    {
        var at = text.IndexOf(right, StringComparison.Ordinal);
        return string.Concat(text.AsSpan(0, at), wrong, text.AsSpan(at + right.Length));
    }

    [GeneratedRegex(@"/d/([\w-]+)")]
    private static partial Regex Link();
}
