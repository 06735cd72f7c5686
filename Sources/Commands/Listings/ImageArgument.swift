import Emulation
import Foundation
import Guest
import GuestCode
import Images

/// Finds images: files, and those that are built in.
enum ImageFile {
  /// The image that `argument` names: a file, or a built-in one with or without its extension.
  static func image(named argument: String) throws -> (image: Image, file: String) {
    do throws(ListingError) {
      if FileManager.default.fileExists(atPath: argument) { return (try Image(contentsOfListing: argument), argument) }
      if let file = BuiltIn.image(named: argument) { return (try Image(listing: file.text, file: file.name), file.name) }
    } catch {
      throw Failure(error)
    }
    let known = argument.contains("/") ? [] : BuiltIn.images.map(\.stem)
    throw Failure(.missingFile, "\(argument): no such file or built-in image\(suggestion(argument, among: known))")
  }
}

extension Image {
  /// The address that `text` names: `0x804f7638`, or a name of this image with or without the image's own, perhaps with an offset.
  func address(naming text: String, file: String) throws -> UInt64 {
    if text.hasPrefix("0x") {
      guard let address = UInt64(text.dropFirst(2), radix: 16) else {
        throw Failure(.badInput, "\(file): “\(text)” is no address; expected up to 16 hexadecimal digits")
      }
      return address
    }
    let own = text.hasPrefix(name + "!") ? String(text.dropFirst(name.count + 1)) : text
    if let address = address(of: own) { return address }
    let parts = own.split(separator: "+", maxSplits: 1).map(String.init)
    if parts.count == 2, let address = address(of: parts[0]) {
      guard parts[1].hasPrefix("0x"), let offset = UInt64(parts[1].dropFirst(2), radix: 16) else {
        throw Failure(.badInput, "\(file): “\(parts[1])” is no offset; expected 0x and hexadecimal digits")
      }
      return address &+ offset
    }
    let known = symbols.map(\.name) + exports.keys.sorted() + routines.keys.sorted()
    let bare = parts.first ?? own
    if own.count >= 6, own.allSatisfy(\.isHexDigit) { throw Failure(.badInput, "\(file): an address needs 0x; expected 0x\(own)") }
    let hint = suggestion(bare, among: known)
    throw Failure(
      .badInput,
      "\(file): no \(bare) in \(name)" + (hint.isEmpty ? "; expected one such as \(known.prefix(6).joined(separator: ", "))" : hint))
  }
}
