using RenderFarm.Contracts.Leases;

namespace RenderFarm.Cli.Farm;

/// <summary>
/// Keeps a running farm whole: a child that dies is reported and started again; a child that dies for the third time
/// within a minute takes the farm down with an error, because whatever kills it will not go away by itself. A worker that an operator has
/// revoked is left out: other hosts' workers go on.
/// </summary>
internal sealed class Supervision(LocalFarm farm, LogRotation logs, TimeProvider time, Action<string> report)
{
    public const int DeathsAllowed = 2;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookAtLogsEvery = TimeSpan.FromSeconds(10);

    /// <summary>Until cancelled.</summary>
    /// <exception cref="FarmException">A child keeps dying.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var api = KeepAsync(() => farm.Api, farm.StartApiAsync, either.Token);
        var worker = KeepAsync(() => farm.Worker, farm.StartWorkerAsync, either.Token);
        var rotation = RotateAsync(either.Token);
        var first = await Task.WhenAny(api, worker, rotation);
        await either.CancelAsync();
        await Task.WhenAll(Quiet(api, first), Quiet(worker, first), Quiet(rotation, first));
        await first;
    }

    private async Task RotateAsync(CancellationToken cancellationToken)
    {
        var told = false;
        while (true)
        {
            await Task.Delay(LookAtLogsEvery, time, cancellationToken);
            try
            {
                _ = logs.Look(farm.Api.Log);
                _ = logs.Look(farm.Worker.Log);
                told = false;
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                if (!told)
                {
                    report($"The logs can't be put aside, and grow: {fault.Message}");
                }

                told = true;
            }
        }
    }

    private async Task KeepAsync(Func<ChildProgram> current, Func<CancellationToken, Task> start, CancellationToken cancellationToken)
    {
        var deaths = new Queue<long>();
        while (true)
        {
            var program = current();
            await program.WaitForExitAsync(cancellationToken);
            if (program == farm.Worker && program.ExitCode == WorkerExit.Refused)
            {
                report(
                    $"The farm goes on without a worker on this machine: {string.Join(Environment.NewLine, program.LastWords(1))}"
                        + $"{Environment.NewLine}./farm workers invite and ./farm worker --join bring it back."
                );
                await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken);
            }

            var death = program.Death("died");
            deaths.Enqueue(time.GetTimestamp());
            while (time.GetElapsedTime(deaths.Peek()) > Window)
            {
                deaths.Dequeue();
            }

            if (deaths.Count > DeathsAllowed)
            {
                throw death;
            }

            report($"{death.Message}{Environment.NewLine}Starting it again (log: {program.Log}).");
            program.Dispose();
            await Task.Delay(Pause, time, cancellationToken);
            await start(cancellationToken);
            if (!current().HasExited)
            {
                report($"{program.Name} is back.");
            }
        }
    }

    // The other one ends only because it was told to; its cancellation is not the news.
    private static async Task Quiet(Task task, Task first)
    {
        try
        {
            await task;
        }
        catch (Exception) when (task != first || task.IsCanceled) { }
    }
}
