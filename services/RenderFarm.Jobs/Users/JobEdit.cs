namespace RenderFarm.Jobs.Users;

/// <summary>What a user changes of a job that is there.</summary>
public sealed record JobEdit
{
    /// <summary>As many as a submission may have.</summary>
    public const int MostPairs = 16;

    /// <summary>Null leaves it.</summary>
    public int? Priority { get; init; }

    /// <summary>Pairs to set, and names to remove (null): what is not named stays.</summary>
    public IReadOnlyDictionary<string, string?> Metadata { get; init; } = new Dictionary<string, string?>();

    /// <summary>The pairs that come of it.</summary>
    public Dictionary<string, string> Onto(IReadOnlyDictionary<string, string> pairs)
    {
        var all = pairs.ToDictionary();
        foreach (var (name, value) in Metadata)
        {
            if (value is null)
            {
                all.Remove(name);
            }
            else
            {
                all[name] = value;
            }
        }

        return all;
    }
}

public abstract record EditResult
{
    public sealed record Edited(Job Job) : EditResult;

    /// <summary>Only a job that waits has a place to change.</summary>
    public sealed record NotWaiting(Job Job) : EditResult;

    /// <summary>With what it has already, a job would have too many pairs.</summary>
    public sealed record TooManyPairs(int Count) : EditResult;

    public sealed record NotFound : EditResult;
}
