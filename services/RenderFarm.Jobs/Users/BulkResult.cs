using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Jobs.Users;

/// <summary>What can be done to many jobs at once.</summary>
[JsonConverter(typeof(WordConverter<BulkAction>))]
public enum BulkAction
{
    [JsonStringEnumMemberName("cancel")]
    Cancel,

    [JsonStringEnumMemberName("retry")]
    Retry,

    [JsonStringEnumMemberName("delete")]
    Delete,
}

/// <summary>Why it was not done to one of them, in the words of the public interface.</summary>
[JsonConverter(typeof(WordConverter<BulkFault>))]
public enum BulkFault
{
    [JsonStringEnumMemberName("wrong_state")]
    WrongState,

    [JsonStringEnumMemberName("not_found")]
    NotFound,

    [JsonStringEnumMemberName("quota_exceeded")]
    QuotaExceeded,
}

public sealed record BulkFailure(string Id, BulkFault Code);

public abstract record BulkResult
{
    /// <param name="Matched">How many it could be done to when they were counted.</param>
    public sealed record Done(int Matched, int Count, IReadOnlyList<BulkFailure> Failed) : BulkResult
    {
        /// <summary>Jobs that a worker is still at.</summary>
        public IReadOnlyList<Job> Held { get; init; } = [];
    }

    /// <summary>There are not as many as the caller took there to be: nothing was done.</summary>
    public sealed record Changed(int Matched) : BulkResult;
}
