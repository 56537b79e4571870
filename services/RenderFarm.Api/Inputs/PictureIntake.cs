using RenderFarm.Api.Errors;
using RenderFarm.Api.Inputs.Formats;
using RenderFarm.Api.Requests;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs;

namespace RenderFarm.Api.Inputs;

/// <summary>Pictures on their way from a request to the artifact store, where the worker fetches them.</summary>
internal sealed partial class PictureIntake(PictureFetcher fetcher, IArtifactStore artifacts, ILogger<PictureIntake> logger) : IDisposable
{
    /// <summary>So many pictures are held in memory at once, whatever the number of requests.</summary>
    private readonly SemaphoreSlim _looking = new(4);

    /// <summary>Gets and judges every picture of a request; nothing is stored yet.</summary>
    /// <exception cref="ApiErrorException">400 or 413, naming the picture.</exception>
    public async Task<InputPictures> OpenAsync(InputReference? first, InputReference? last, CancellationToken cancellationToken)
    {
        var pictures = new InputPictures();
        try
        {
            await AddAsync(pictures, InputRoles.FirstFrame, first, cancellationToken);
            await AddAsync(pictures, InputRoles.LastFrame, last, cancellationToken);
            return pictures;
        }
        catch
        {
            pictures.Dispose();
            throw;
        }
    }

    public Task<IReadOnlyList<StoredInput>> StoreAsync(InputPictures pictures, string jobId, CancellationToken cancellationToken) =>
        AllOrNoneAsync(
            pictures.All,
            picture =>
                PutAsync(
                    new StoredInput(
                        picture.Role,
                        ObjectKeys.Input(jobId, picture.Role),
                        picture.Info.ContentType,
                        picture.Content.SizeBytes,
                        picture.Content.Sha256
                    ),
                    picture.Content,
                    cancellationToken
                )
        );

    /// <summary>The pictures of one job for another: each job owns its objects, for each is removed by itself.</summary>
    public Task<IReadOnlyList<StoredInput>> CopyAsync(
        IReadOnlyList<StoredInput> inputs,
        string jobId,
        CancellationToken cancellationToken
    ) =>
        AllOrNoneAsync(
            inputs,
            async input =>
            {
                await using var stream = await artifacts.OpenReadAsync(input.Key, null, cancellationToken);
                using var content = (await SpooledFile.WriteAsync(stream, long.MaxValue, cancellationToken))!;
                return await PutAsync(input with { Key = ObjectKeys.Input(jobId, input.Role) }, content, cancellationToken);
            }
        );

    /// <summary>After a job that came to nothing. The janitor removes only what belongs to a job, so what stays behind is logged.</summary>
    public async Task RemoveAsync(IReadOnlyList<StoredInput> inputs)
    {
        foreach (var input in inputs)
        {
            try
            {
                await artifacts.DeleteAsync(input.Key, CancellationToken.None);
            }
            catch (ArtifactStoreException e)
            {
                LogLeft(input.Key, e.Message);
            }
        }
    }

    public void Dispose() => _looking.Dispose();

    private async Task<StoredInput> PutAsync(StoredInput input, SpooledFile content, CancellationToken cancellationToken)
    {
        await artifacts.PutFileAsync(input.Key, content.Path, input.ContentType, input.Sha256, cancellationToken);
        return input;
    }

    private async Task<IReadOnlyList<StoredInput>> AllOrNoneAsync<T>(IReadOnlyList<T> sources, Func<T, Task<StoredInput>> store)
    {
        var stored = new List<StoredInput>();
        try
        {
            foreach (var source in sources)
            {
                stored.Add(await store(source));
            }

            return stored;
        }
        catch
        {
            await RemoveAsync(stored);
            throw;
        }
    }

    private async Task AddAsync(InputPictures pictures, string role, InputReference? reference, CancellationToken cancellationToken)
    {
        if (reference is null)
        {
            return;
        }

        var content = reference.File?.Content;
        if (content is null)
        {
            content = await fetcher.FetchAsync(reference, $"{role}.image_url", cancellationToken);
            pictures.Own(content);
        }

        await _looking.WaitAsync(cancellationToken);
        try
        {
            pictures.Add(
                new InputPicture(role, content, PictureHeader.Read(await File.ReadAllBytesAsync(content.Path, cancellationToken)))
            );
        }
        catch (PictureFaultException e)
        {
            throw ApiError.UnsupportedImage(role, $"'{role}' {e.Message}.").AsException();
        }
        finally
        {
            _looking.Release();
        }
    }

    [LoggerMessage(EventId = 301, Level = LogLevel.Warning, Message = "{Key} belongs to no video and could not be removed: {Cause}")]
    private partial void LogLeft(string key, string cause);
}

/// <summary>The pictures of one request. What was fetched for it goes with it; uploads go with their request.</summary>
internal sealed class InputPictures : IDisposable
{
    private readonly List<InputPicture> _all = [];
    private readonly List<SpooledFile> _owned = [];

    public IReadOnlyList<InputPicture> All => _all;
    public PictureInfo? FirstFrame => _all.FirstOrDefault(picture => picture.Role == InputRoles.FirstFrame)?.Info;

    public void Dispose() => _owned.ForEach(file => file.Dispose());

    internal void Add(InputPicture picture) => _all.Add(picture);

    internal void Own(SpooledFile file) => _owned.Add(file);
}

/// <param name="Role">See <see cref="InputRoles"/>.</param>
internal sealed record InputPicture(string Role, SpooledFile Content, PictureInfo Info);
