using System.Text.RegularExpressions;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Tests.Persistence;

/// <summary>The life of a job: in the code, in the diagram for readers, and in the sets that checks and indexes speak of.</summary>
public sealed partial class JobTransitionsTests
{
    private static readonly string Root = RepositoryRoot();

    [Fact]
    public void Diagram_AgainstTheStatements_ShowsTheSameWays()
    {
        var readme = File.ReadAllText(Path.Combine(Root, "contracts", "README.md"));
        var diagram = Diagram().Match(readme);
        Assert.True(diagram.Success, "contracts/README.md must show the life of a job as a mermaid stateDiagram-v2");

        var drawn = Arrow()
            .Matches(diagram.Value)
            .Where(arrow => arrow.Groups["from"].Value != "[*]")
            .SelectMany(arrow =>
                Expanded(arrow.Groups["from"].Value).Select(from => $"{from} --> {arrow.Groups["to"].Value}: {arrow.Groups["verb"].Value}")
            );
        var written = JobTransitions.All.SelectMany(way =>
            way.From.SelectMany(from => way.To.Select(to => $"{Word.Of(from)} --> {Word.Of(to)}: {way.Name}"))
        );

        Assert.Equal(written.Order(StringComparer.Ordinal), drawn.Order(StringComparer.Ordinal));
        Assert.Contains("[*] --> queued", diagram.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Sets_InSqlAndInQueries_AreTheSame()
    {
        Assert.Equal(JobTransitions.Held, JobTransitions.End.Where);
        Assert.Equal(JobTransitions.Queued, JobTransitions.Take.Where);
        Assert.Equal(JobTransitions.Running, JobTransitions.In([JobState.Leased, JobState.Rendering]));
        Assert.Equal(JobTransitions.Open, JobTransitions.In([JobState.Queued, .. JobTransitions.End.From]));
        var (held, running) = (JobTransitions.IsHeld.Compile(), JobTransitions.IsRunning.Compile());
        Assert.All(Enum.GetValues<JobState>(), state =>
        {
            var row = RowIn(state);
            Assert.Equal(JobTransitions.End.From.Contains(state), held(row));
            Assert.Equal(JobTransitions.Running.Contains($"'{Word.Of(state)}'", StringComparison.Ordinal), running(row));
            Assert.Equal(state == JobState.Queued || running(row), JobTransitions.IsQueuedOrRunning.Compile()(row));
            var sets = new[] { JobTransitions.Queued, JobTransitions.Held, JobTransitions.Final };
            Assert.Single(sets, set => set.Contains($"'{Word.Of(state)}'", StringComparison.Ordinal));
        });
    }

    [Fact]
    public void Into_AStateTheWayDoesNotLeadTo_IsRefused() =>
        Assert.Contains(
            "expire leads to Expired",
            Assert.Throws<ArgumentException>(() => JobTransitions.Expire.Into(JobState.Queued)).Message,
            StringComparison.Ordinal
        );

    /// <summary>Tests write rows of their own on purpose; nothing else may.</summary>
    [Fact]
    public void Tree_OutsideOfJobTransitions_WritesNoRowOfJobs()
    {
        string[] kinds = [".cs", ".sql", ".sh", ".py", ".json", ".yml", ".yaml", ""];
        var offenders = new[] { "contracts", "services", "workers", "deploy" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Root, folder), "*", SearchOption.AllDirectories))
            .Where(file => kinds.Contains(Path.GetExtension(file)) && !Apart().IsMatch(Path.GetRelativePath(Root, file)))
            .SelectMany(file =>
                Writing().Matches(File.ReadAllText(file)).Select(found => $"{Path.GetRelativePath(Root, file)}: {found.Value}")
            )
            .ToList();
        Assert.True(offenders.Count == 0, $"write jobs by a statement in JobTransitions, not in {string.Join(", ", offenders)}");
    }

    [Theory]
    [InlineData("UPDATE jobs SET state = 'queued'", true)]
    [InlineData("update  jobs\n set x = 1", true)]
    [InlineData("DELETE FROM jobs WHERE id = @id", true)]
    [InlineData("INSERT INTO jobs (id) VALUES (@id)", true)]
    [InlineData("db.Jobs.Where(j => j.Id == id)\n    .ExecuteUpdateAsync(set => set.SetProperty(j => j.State, JobState.Queued))", true)]
    [InlineData("Visible(db, scope).ExecuteUpdateAsync(", true)]
    [InlineData("db.Workers.Where(w => w.Id == id).ExecuteUpdateAsync(set => set.SetProperty(w => w.SeenAt, at))", false)]
    [InlineData("row.State = JobState.Failed;", true)]
    [InlineData("if (row.State == JobState.Failed)", false)]
    [InlineData("UPDATE jobs_archive SET x = 1", false)]
    public void Writing_TheSearchItself_FindsWhatItIsFor(string text, bool found) => Assert.Equal(found, Writing().IsMatch(text));

    private static IEnumerable<string> Expanded(string from) => from == "held" ? JobTransitions.End.From.Select(Word.Of) : [from];

    private static JobRow RowIn(JobState state)
    {
        var row = new JobRow
        {
            Id = "j",
            KeyId = "k",
            Model = "m",
            Spec = "{}",
            Inputs = "[]",
        };
        typeof(JobRow).GetProperty(nameof(JobRow.State))!.SetValue(row, state);
        return row;
    }

    private static string RepositoryRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "RenderFarm.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"no folder above {AppContext.BaseDirectory} holds RenderFarm.sln");
    }

    [GeneratedRegex(@"```mermaid\s+stateDiagram-v2.*?```", RegexOptions.Singleline)]
    private static partial Regex Diagram();

    [GeneratedRegex(@"^\s*(?<from>\[\*\]|\w+) --> (?<to>\w+): (?<verb>\w+)", RegexOptions.Multiline)]
    private static partial Regex Arrow();

    /// <summary>Statements, and two ways to write a row by EF Core: an update that names no other table, and a property set.</summary>
    [GeneratedRegex(
        """
            (?ix) \b(update|insert\s+into|delete\s+from) \s+ jobs\b
            | (?<!\b(workers|workerinvitations|apikeys|webhookdeliveries|batches|queuepauses|dashboardsessions|signincodes) \b
                [^;]{0,400}) \. Execute(Update|Delete) (Async)? \(
            | \.State \s* = (?![=>])
            """
    )]
    private static partial Regex Writing();

    [GeneratedRegex(@"(^|[\\/])(bin|obj|Migrations|node_modules)[\\/]|JobTransitions(\.\w+)?\.cs$")]
    private static partial Regex Apart();
}
