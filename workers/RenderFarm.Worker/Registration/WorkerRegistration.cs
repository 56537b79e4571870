using System.Net;
using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Leases;
using RenderFarm.Hosting.Loops;
using RenderFarm.Worker.Api;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Models;

namespace RenderFarm.Worker.Registration;

/// <summary>Tells the API who this worker is and what it has, at start and whenever the models on disk have changed.</summary>
internal sealed class WorkerRegistration(
    IOptions<WorkerOptions> options,
    WorkerDescription description,
    FarmApi api,
    WorkerKey key,
    ModelCatalog catalog,
    TimeProvider time,
    ILogger<WorkerRegistration> log
) : IDisposable
{
    private const int RefusalsBelieved = 6;
    private readonly SemaphoreSlim _one = new(1);
    private RegisterWorkerReply? _reply;
    private RegisterWorkerRequest? _told;
    private bool _modelsChanged;

    public string WorkerId => _reply?.WorkerId ?? throw new InvalidOperationException("the worker is not registered yet");

    /// <summary>This start of the worker, as the API knows it.</summary>
    public string Instance => description.Instance;

    public LeaseSettings Settings => _reply?.Settings ?? new LeaseSettings();

    public bool IsRegistered => _reply is not null;

    /// <summary>Somebody has ordered it since the slot was registered with its quarantine.</summary>
    public bool IsToResume(string slotId) => _reply?.Slots.Any(order => order.Id == slotId && order.Resume) == true;

    /// <summary>Tries until it is heard.</summary>
    /// <exception cref="WorkerSettingException">
    /// The API refuses a key that never worked or was revoked, or this worker is too old for it.
    /// </exception>
    public async Task RegisterAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            _ = await catalog.ScanAsync(cancellationToken);
            var backoff = new Backoff(0.2, 2);
            for (var refusals = 0; ;)
            {
                try
                {
                    var told = description.Now();
                    _reply = await api.RegisterAsync(told, cancellationToken);
                    if (WorkerDescription.Differ(told, _told))
                    {
                        var (slots, models) = (told.Slots.Select(slot => slot.Id), told.Models.Select(model => model.Id));
                        log.Registered(_reply.WorkerId, told.Name, slots, models);
                    }

                    _told = told;
                    return;
                }
                catch (FarmApiException fault) when (IsFinal(fault) && ++refusals >= RefusalsBelieved)
                {
                    throw fault.IsKeyRevoked
                        ? new WorkerSettingException(
                            $"this worker has been revoked by the farm at {options.Value.ApiUrl} ({fault.Message})"
                        )
                        {
                            ExitCode = WorkerExit.Refused,
                        }
                        : new WorkerSettingException(
                            $"{key.Source} is refused by the API at {options.Value.ApiUrl}: set Worker:ApiKey to a key with scope 'worker' "
                                + $"({fault.Message})"
                        );
                }
                catch (FarmApiException fault) when (fault.Status == HttpStatusCode.UpgradeRequired)
                {
                    throw new WorkerSettingException($"the API at {options.Value.ApiUrl} is newer than this worker: {fault.Message}");
                }
                catch (FarmApiException fault)
                {
                    var wait = backoff.Next();
                    log.NotRegistered(wait.TotalSeconds, fault.Message);
                    await Task.Delay(wait, time, cancellationToken);
                }
            }
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>This worker ends, and holds nothing. An API that does not hear it will miss it, as any that is silent.</summary>
    public async Task SayGoodbyeAsync()
    {
        try
        {
            await api.GoodbyeAsync(new GoodbyeRequest(WorkerId, Instance), CancellationToken.None);
        }
        catch (FarmApiException fault)
        {
            log.GoodbyeUnheard(fault.Message);
        }
    }

    /// <summary>Registers again when a model has come or gone since the API last heard of them.</summary>
    public async Task LookForModelsAsync(CancellationToken cancellationToken)
    {
        _modelsChanged |= await catalog.ScanAsync(cancellationToken);
        if (_modelsChanged)
        {
            await RegisterAsync(cancellationToken);
            _modelsChanged = false;
        }
    }

    public void Dispose() => _one.Dispose();

    /// <summary>
    /// A key that never worked is a wrong setting. One that did, and is unknown now, has an API with another database before it, perhaps
    /// for a moment: no reason to end what this worker renders.
    /// </summary>
    private bool IsFinal(FarmApiException fault) => fault.IsWrongKey && (_reply is null || fault.IsKeyRevoked);
}
