using Microsoft.Extensions.Options;
using RenderFarm.Api.Errors;
using RenderFarm.Hosting.Settings;
using RenderFarm.Jobs.Keys;

namespace RenderFarm.Api.Keys;

/// <summary>Event streams that a key holds open at this process. Each costs a connection and looks at the store now and then.</summary>
internal sealed class StreamPlaces(IOptions<KeysOptions> options)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _open = [];

    /// <summary>To be disposed when the stream is over.</summary>
    /// <exception cref="ApiErrorException">429: the key has as many as it may.</exception>
    public IDisposable Take(ApiKey key)
    {
        lock (_gate)
        {
            var open = _open.GetValueOrDefault(key.Id);
            if (open >= options.Value.StreamsAtOnce)
            {
                throw ApiError.TooManyStreams(options.Value.StreamsAtOnce).AsException();
            }

            _open[key.Id] = open + 1;
        }

        return new Place(this, key.Id);
    }

    private void GiveBack(string key)
    {
        lock (_gate)
        {
            if (--_open[key] == 0)
            {
                _open.Remove(key);
            }
        }
    }

    private sealed class Place(StreamPlaces places, string key) : IDisposable
    {
        private int _gone;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _gone, 1) == 0)
            {
                places.GiveBack(key);
            }
        }
    }
}
