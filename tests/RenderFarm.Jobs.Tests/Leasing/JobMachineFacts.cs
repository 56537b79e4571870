using FsCheck.Xunit;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Retries;
using RenderFarm.Jobs.Tests.Farm;
using RenderFarm.Jobs.Users;

namespace RenderFarm.Jobs.Tests.Leasing;

public sealed class JobMachineOnSqlite() : JobMachineFacts(new SqliteStore());

public sealed class JobMachineOnPostgres() : JobMachineFacts(new PostgresStore());

/// <summary>Random sequences of operations, legal and not, against a model of the job's life that fits on a page.</summary>
public abstract class JobMachineFacts(StoreUnderTest store) : FarmFacts(store)
{
    public enum Operation
    {
        Lease,
        Render,
        Upload,
        Complete,
        FailTransient,
        FailOutOfMemory,
        FailBadInput,
        FailCrash,
        Release,
        Expire,
        Cancel,
        Retry,
        BackOffEnds,
        CompleteOld,
        RenewOld,
        RepeatLastReport,
    }

    [Property(MaxTest = 40, EndSize = 40)]
    public async Task AnySequence_BehavesLikeTheModel(Operation[] operations)
    {
        await Farm.OneSlotAsync();
        var model = new Model();
        var job = await Farm.SubmitAsync();
        LeasedJob? lease = null;
        LeasedJob? before = null;
        var state = job.State;
        (LeasedJob Lease, FailureReason? Reason, LeaseOutcome? Outcome)? last = null;

        foreach (var operation in operations)
        {
            Farm.Time.Advance(TimeSpan.FromMilliseconds(1)); // No two things happen at the same moment
            switch (operation)
            {
                case Operation.Lease:
                    var taken = await Farm.TryLeaseAsync();
                    Assert.Equal(model.Lease(), taken is not null);
                    (before, lease) = taken is null ? (before, lease) : (lease, taken);
                    break;
                case Operation.Render or Operation.Upload when lease is not null:
                    var stage = operation == Operation.Render ? RenderStage.Denoising : RenderStage.Uploading;
                    Assert.Equal(model.Renew(stage), await Farm.RenewAsync(lease, stage) is not null);
                    break;
                case Operation.Complete when lease is not null && model.Held:
                    model.Complete();
                    last = (lease, null, await Farm.CompleteAsync(lease));
                    break;
                case Operation.FailTransient
                or Operation.FailOutOfMemory
                or Operation.FailBadInput
                or Operation.FailCrash when lease is not null && model.Held:
                    var reason = Reason(operation);
                    model.Fail(reason);
                    last = (lease, reason, await Farm.FailAsync(lease, reason));
                    break;
                case Operation.Release when lease is not null && model.Held:
                    model.Release();
                    last = (lease, null, await Farm.ReleaseAsync(lease));
                    break;
                case Operation.Expire when model.Held:
                    model.Lose();
                    await Farm.ExpireLeaseAsync(job.Id);
                    Assert.Equal(1, await Farm.ReapAsync());
                    last = null;
                    break;
                case Operation.Cancel:
                    model.Cancel();
                    await Farm.Jobs.CancelAsync(job.Id, JobScope.All, Stop);
                    break;
                case Operation.Retry:
                    Assert.Equal(model.Retry(), await Farm.Jobs.RetryAsync(job.Id, JobScope.All, Stop) is RetryResult.Requeued);
                    break;
                case Operation.BackOffEnds:
                    model.Waiting = false;
                    await Farm.EndBackOffAsync(job.Id);
                    break;
                case Operation.CompleteOld when before is not null:
                    // Whatever the old lease came to, saying it again changes nothing
                    await Farm.CompleteAsync(before);
                    break;
                case Operation.RenewOld when lease is not null:
                    Assert.Null(await Farm.RenewAsync(Forged(lease), RenderStage.Denoising));
                    break;
                case Operation.RepeatLastReport when last is var (reported, what, outcome):
                    Assert.Equal(outcome, what is { } why ? await Farm.FailAsync(reported, why) : await Farm.CompleteAsync(reported));
                    break;
            }
            var now = await Farm.GetAsync(job.Id);
            Assert.True(
                now.State == state || Leads(state, now.State) || (state == JobState.Queued && Leads(JobState.Rendering, now.State)),
                $"{operation}: {state} → {now.State} is no way of a job's"
            );
            state = now.State;
            Assert.Equal((model.State, model.Fence, model.Tally.Failures), (now.State, now.Fence, now.Failures));
        }
        // Out of the way of the next sequence
        await Farm.Jobs.CancelAsync(job.Id, JobScope.All, Stop);
        if (model.Held)
        {
            await Farm.FailAsync(lease!, FailureReason.Cancelled);
        }
    }

    /// <summary>The very lease, but for the token: what a holder says whose grant the database has forgotten.</summary>
    private static LeasedJob Forged(LeasedJob lease) => lease with { Lease = lease.Lease with { Token = LeaseToken.New() } };

    private static bool Leads(JobState from, JobState to) => JobTransitions.All.Any(way => way.Leads(from, to));

    private static FailureReason Reason(Operation operation) =>
        operation switch
        {
            Operation.FailTransient => FailureReason.Transient,
            Operation.FailOutOfMemory => FailureReason.GpuOutOfMemory,
            Operation.FailBadInput => FailureReason.InvalidRequest,
            _ => FailureReason.RendererCrashed,
        };

    private sealed class Model
    {
        private static readonly RetryPolicy Policy = new(() => 0);
        private static readonly Tally Fresh = new(0, 3, 0, 0);
        private bool _cancel;
        private int _untaken;
        private (Tally Tally, bool Untaken)? _lost;

        public JobState State { get; private set; } = JobState.Queued;
        public long Fence { get; private set; }
        public Tally Tally { get; private set; } = Fresh;
        public bool Waiting { get; set; }
        public bool Held => State is JobState.Leased or JobState.Rendering or JobState.Uploading;

        public bool Lease()
        {
            if (State != JobState.Queued || Waiting)
            {
                return false;
            }

            (State, Fence, _lost) = (JobState.Leased, Fence + 1, null);
            return true;
        }

        public bool Renew(RenderStage stage)
        {
            // Nobody else has it: nothing was lost
            if (State == JobState.Queued && _lost is var (tally, untaken))
            {
                (State, Tally, Waiting, _lost) = (JobState.Rendering, tally, false, null);
                _untaken -= untaken ? 1 : 0;
            }

            if (!Held)
            {
                return false;
            }

            if (stage == RenderStage.Uploading)
            {
                State = JobState.Uploading;
            }
            else if (State == JobState.Leased)
            {
                State = JobState.Rendering;
            }

            return true;
        }

        public void Complete() => State = JobState.Completed;

        public void Release() => State = _cancel ? JobState.Cancelled : JobState.Queued;

        public void Fail(FailureReason reason)
        {
            if (_cancel)
            {
                State = JobState.Cancelled;
                return;
            }
            var decision = Policy.Decide(reason, Tally, progressed: false);
            Tally = decision.Tally;
            State = decision is RetryDecision.Again ? JobState.Queued : JobState.Failed;
            Waiting = decision is RetryDecision.Again { After: var after } && after > TimeSpan.Zero;
        }

        public void Lose()
        {
            _lost = (Tally, State == JobState.Leased);
            if (State == JobState.Leased && _untaken++ < LeaseEndings.MostUntaken)
            {
                Release();
            }
            else
            {
                Fail(FailureReason.WorkerLost);
            }
        }

        public void Cancel()
        {
            if (State == JobState.Queued)
            {
                (State, Waiting, _lost) = (JobState.Cancelled, false, null);
            }
            else if (Held)
            {
                _cancel = true;
            }
        }

        public bool Retry()
        {
            if (State is not (JobState.Failed or JobState.Cancelled))
            {
                return false;
            }

            (State, Tally, _cancel, Waiting, _lost) = (JobState.Queued, Fresh, false, false, null);
            return true;
        }
    }
}
