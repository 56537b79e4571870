using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using RenderFarm.Contracts.Models;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Workers;

/// <summary>Which worker has which model, file by file, and which models are waited for that nobody has.</summary>
public sealed class ModelHolders(JobDatabase database, WorkerRegistry workers)
{
    /// <summary>Counted up to here: whoever reads it wants to know that there are many.</summary>
    public const int MostWaiting = 1_000;

    /// <summary>By model and worker, in the order of their names.</summary>
    public Task<IReadOnlyList<ModelHolder>> AllAsync(CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<ModelHolder>>(
            async db =>
            {
                var rows = await db
                    .WorkerModels.AsNoTracking()
                    .Join(
                        db.Workers.Where(w => w.RevokedAt == null),
                        have => have.WorkerId,
                        worker => worker.Id,
                        (have, worker) => new
                        {
                            have.ModelId,
                            have.WorkerId,
                            Name = worker.GivenName ?? worker.Name,
                            have.Files,
                        }
                    )
                    .OrderBy(row => row.ModelId)
                    .ThenBy(row => row.Name)
                    .ThenBy(row => row.WorkerId)
                    .ToListAsync(cancellationToken);
                return rows.ConvertAll(row => new ModelHolder(
                    row.ModelId,
                    row.WorkerId,
                    row.Files is { } files ? JsonSerializer.Deserialize(files, JobsJson.Default.ModelFileArray)! : []
                ));
            },
            cancellationToken
        );

    /// <summary>Models that jobs wait for and that no worker which is there has whole.</summary>
    public async Task<IReadOnlyList<UnheldModel>> UnheldAsync(CancellationToken cancellationToken)
    {
        List<UnheldModel> unheld = [];
        foreach (var model in (await workers.ModelsAsync(cancellationToken)).Where(model => model.WholeWorkers == 0))
        {
            var waiting = await database.ReadAsync(
                db =>
                    db.RowsAsync(
                        $"SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE {JobTransitions.Queued} AND model = @model LIMIT {MostWaiting}) w",
                        row => row.GetInt32(0),
                        cancellationToken,
                        ("model", model.Registration.Id)
                    ),
                cancellationToken
            );
            if (waiting[0] > 0)
            {
                unheld.Add(new UnheldModel(model.Registration.Id, waiting[0]));
            }
        }

        return unheld;
    }
}

/// <param name="Files">None where its worker doesn't tell.</param>
public sealed record ModelHolder(string ModelId, string WorkerId, IReadOnlyList<ModelFile> Files);

/// <param name="Queued">Counted up to <see cref="ModelHolders.MostWaiting"/>.</param>
public sealed record UnheldModel(string Model, int Queued);
