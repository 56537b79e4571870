using System.Globalization;
using System.Net;
using System.Xml;
using System.Xml.Linq;
using Minio.Exceptions;

namespace RenderFarm.Artifacts;

/// <summary>What an S3 server has said: a document whose elements are asked for by their names, in whatever namespace.</summary>
internal sealed class S3Answer
{
    private readonly XElement? _root;

    private S3Answer(XElement? root) => _root = root;

    /// <exception cref="UploadEndedException">There is no such upload.</exception>
    /// <exception cref="ArtifactCorruptException">The server does not have the parts that were named.</exception>
    /// <exception cref="HttpRequestException">The server is out of sorts: the same may work later.</exception>
    public static async Task<S3Answer> ReadAsync(HttpResponseMessage response, string key, CancellationToken cancellationToken)
    {
        var root = await RootAsync(response, cancellationToken);
        // A completion is answered 200 before it is done: what becomes of it stands in the body
        if (response.IsSuccessStatusCode && root?.Name.LocalName != "Error")
        {
            return new S3Answer(root);
        }

        var (status, error) = (response.StatusCode, new S3Answer(root));
        var code = error.Text("Code");
        var said = $"the S3 server answered {(int)status} {code} {error.Text("Message")}";
        throw code switch
        {
            // Ceph says the latter of an upload that is over
            "NoSuchUpload" or "NoSuchKey" => new UploadEndedException(key),
            "InvalidPart" or "InvalidPartOrder" or "EntityTooSmall" => new ArtifactCorruptException($"the parts of '{key}': {said}"),
            _ when status == HttpStatusCode.Forbidden => new AccessDeniedException(said),
            _ when (int)status is 408 or 429 or >= 500 || response.IsSuccessStatusCode => new HttpRequestException(said, null, status),
            _ => new ArtifactStoreException($"'{key}': {said}", isTransient: false),
        };
    }

    /// <param name="name">Null: whatever came.</param>
    public bool Is(string? name) => name is null || _root?.Name.LocalName == name;

    /// <summary>Empty where there is none.</summary>
    public string Text(string name) => Each(name).FirstOrDefault()?._root?.Value ?? "";

    public long Number(string name) => long.Parse(Text(name), NumberStyles.None, CultureInfo.InvariantCulture);

    public IEnumerable<S3Answer> Each(string name) =>
        _root?.Elements().Where(element => element.Name.LocalName == name).Select(element => new S3Answer(element)) ?? [];

    private static async Task<XElement?> RootAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            using var reader = XmlReader.Create(body, new XmlReaderSettings { Async = true, DtdProcessing = DtdProcessing.Prohibit });
            return await XElement.LoadAsync(reader, LoadOptions.None, cancellationToken);
        }
        catch (XmlException)
        {
            return null; // No document, as of most successes, or a proxy's page: the status says enough
        }
    }
}
