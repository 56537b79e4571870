using RenderFarm.Contracts.Videos;

namespace RenderFarm.Jobs.Persistence;

/// <summary>A way that a job may go: from any of some states to one of some others. The statement of its name alone goes it.</summary>
/// <param name="Name">The verb: the statement in <see cref="JobTransitions"/>, and the label in the diagram.</param>
internal sealed record JobTransition(string Name, IReadOnlyList<JobState> From, IReadOnlyList<JobState> To)
{
    /// <summary>The condition of the statement: the row is in one of the states that this way leads from.</summary>
    public string Where => JobTransitions.In(From);

    public bool Leads(JobState from, JobState to) => From.Contains(from) && To.Contains(to);

    /// <summary>The state's word in SQL, once it is known that the way leads there.</summary>
    /// <exception cref="ArgumentException">It does not: a fault of the caller.</exception>
    public string Into(JobState to) =>
        To.Contains(to) ? Word.Of(to) : throw new ArgumentException($"{Name} leads to {string.Join(", ", To)}, not to {to}", nameof(to));
}
