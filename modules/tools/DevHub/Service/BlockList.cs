using System.Xml;
using EdgeDm.DevHub.Files;

namespace EdgeDm.DevHub.Service;

/// <summary>The body of Azure Storage's "Put Block List".</summary>
internal static class BlockList
{
    /// <summary>Bytes of a body: 50,000 entries of the longest ids, and some.</summary>
    public const long LargestBody = 8 * 1024 * 1024;

    /// <summary>Reads <c>&lt;BlockList&gt;&lt;Latest&gt;id&lt;/Latest&gt;...</c>; <c>Uncommitted</c> means the same here.</summary>
    /// <exception cref="BlobException">It is wrong, or has too many entries.</exception>
    public static async Task<IReadOnlyList<BlockId>> ReadAsync(Stream body, int most)
    {
        var list = new List<BlockId>();
        try
        {
            using var reader = XmlReader.Create(
                body,
                new()
                {
                    Async = true,
                    IgnoreWhitespace = true,
                    IgnoreComments = true,
                    IgnoreProcessingInstructions = true,
                    MaxCharactersInDocument = LargestBody,
                }
            );
            await reader.MoveToContentAsync();
            if (reader.Name != "BlockList")
            {
                throw Invalid($"The list begins with '{reader.Name}' instead of BlockList.");
            }
            await reader.ReadAsync();
            while (reader.NodeType == XmlNodeType.Element)
            {
                if (reader.Name == "Committed")
                {
                    throw new BlobException(
                        400,
                        "InvalidBlockList",
                        "This dev hub keeps no blocks that a list has used."
                    );
                }
                if (reader.Name is not ("Latest" or "Uncommitted"))
                {
                    throw Invalid($"The list has '{reader.Name}' instead of Latest or Uncommitted.");
                }
                list.Add(BlockId.Parse(await reader.ReadElementContentAsStringAsync()));
                if (list.Count > most)
                {
                    throw new BlobException(400, "BlockListTooLong", $"The list has more than {most} blocks.");
                }
            }
            return list;
        }
        catch (XmlException error)
        {
            throw Invalid(error.Message);
        }
    }

    private static BlobException Invalid(string message) => new(400, "InvalidXmlDocument", message);
}
